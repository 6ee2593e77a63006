package zmtp_test

import (
	"errors"
	"strings"
	"testing"
)

// checkError fails unless err wraps want (nil: no error) and its text has all
// of contains.
func checkError(t *testing.T, err, want error, contains ...string) {
	t.Helper()
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		t.Errorf("got error %v, want %v", err, want)
		return
	}
	for _, s := range contains {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("got error %q, want %q in it", err, s)
		}
	}
}

// checkPanic fails unless call panics with a text that has contains.
func checkPanic(t *testing.T, contains string, call func()) {
	t.Helper()
	defer func() {
		t.Helper()
		text, _ := recover().(string)
		if !strings.Contains(text, contains) {
			t.Errorf("got panic %q, want one with %q", text, contains)
		}
	}()
	call()
}
