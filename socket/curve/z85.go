package curve

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ringwire/ringwire/internal/security"
)

// EncodeZ85 returns the Z85 form of b (ZeroMQ RFC 32), whose length must be a
// multiple of 4: else it panics, because keys always are.
func EncodeZ85(b []byte) string { return security.EncodeZ85(b) }

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
			digit := strings.IndexByte(security.Z85, s[i])
			if digit < 0 {
				_, size := utf8.DecodeRuneInString(s[i:])
				return nil, fmt.Errorf("curve: character %d of a Z85 text is not in its alphabet: %q", i+1, s[i:i+size])
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
