package security

import (
	"fmt"
	"strings"
)

// Z85 are the digits of Z85 (ZeroMQ RFC 32), which writes four bytes as five
// characters that need no escape in most languages.
const Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

// EncodeZ85 returns the Z85 form of b, whose length must be a multiple of 4: else it
// panics.
func EncodeZ85(b []byte) string {
	if len(b)%4 != 0 {
		panic(fmt.Sprintf("curve: Z85 of %d bytes, want a multiple of 4", len(b)))
	}
	var s strings.Builder
	for ; len(b) > 0; b = b[4:] {
		v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		for div := uint32(85 * 85 * 85 * 85); div > 0; div /= 85 {
			s.WriteByte(Z85[v/div%85])
		}
	}
	return s.String()
}
