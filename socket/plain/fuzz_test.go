package plain

import (
	"strings"
	"testing"
)

// FuzzHash: a line of a file of users is a hash that is written alike, or an error that
// does not show it.
func FuzzHash(f *testing.F) {
	good, err := hash("secret", []byte("0123456789abcdef"), 1)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", good, good + "$", good[:len(good)-1], "pbkdf2-sha256$0$AA$AA", "pbkdf2-sha256$99999999$AA$AA", "secret", "$$$", "pbkdf2-sha256$1$$"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parse(text)
		if err != nil {
			_, none := parse("")
			if len(text) > 8 && strings.Contains(err.Error(), text) && !strings.Contains(none.Error(), text) {
				t.Fatalf("the error has the text: %v", err)
			}
			return
		}
		if a.rounds < 1 || a.rounds > maxRounds || len(a.salt) == 0 || len(a.key) != hashSize {
			t.Fatalf("%q is taken as %+v", text, a)
		}
	})
}
