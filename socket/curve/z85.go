package curve

import (
	"fmt"
	"strings"
)

// Z85 (ZeroMQ RFC 32) writes four bytes as five characters that need no escape in
// most languages.
const z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

// EncodeZ85 returns the Z85 form of b, whose length must be a multiple of 4: else
// it panics, because keys always are.
func EncodeZ85(b []byte) string {
	if len(b)%4 != 0 {
		panic(fmt.Sprintf("curve: Z85 of %d bytes, want a multiple of 4", len(b)))
	}
	var s strings.Builder
	for ; len(b) > 0; b = b[4:] {
		v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		for div := uint32(85 * 85 * 85 * 85); div > 0; div /= 85 {
			s.WriteByte(z85[v/div%85])
		}
	}
	return s.String()
}

// DecodeZ85 returns the bytes of a Z85 string. A length that is no multiple of 5,
// a character that is not in the alphabet and a group over 2^32-1 are errors that
// say where.
func DecodeZ85(s string) ([]byte, error) {
	if len(s)%5 != 0 {
		return nil, fmt.Errorf("curve: Z85 of %d characters, want a multiple of 5", len(s))
	}
	b := make([]byte, 0, len(s)/5*4)
	for at := 0; at < len(s); at += 5 {
		var v uint64
		for i := at; i < at+5; i++ {
			digit := strings.IndexByte(z85, s[i])
			if digit < 0 {
				return nil, fmt.Errorf("curve: character %d of a Z85 text is not in its alphabet", i+1)
			}
			v = v*85 + uint64(digit)
		}
		if v > 1<<32-1 {
			return nil, fmt.Errorf("curve: characters %d to %d of a Z85 text are more than 4 bytes", at+1, at+5)
		}
		b = append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return b, nil
}
