package ringwire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
)

// TestSEC17Credentials: an Authenticator that prints or logs what it was given tells
// nobody a password.
func TestSEC17Credentials(t *testing.T) {
	c := ringwire.Credentials{Mechanism: "PLAIN", Address: "127.0.0.1:1", Username: "alice", Password: "hunter2", PublicKey: []byte{0xab}, Subject: "a name"}
	hex := fmt.Sprintf("%x", c.Password)
	var all []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		all = append(all, fmt.Sprintf(verb, c), fmt.Sprintf(verb, &c), fmt.Sprintf(verb, []ringwire.Credentials{c}), fmt.Sprintf(verb, struct{ C ringwire.Credentials }{c}))
	}
	text, err := json.Marshal(map[string]any{"credentials": c})
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, string(text))
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("asked", "credentials", c, "group", slog.GroupValue(slog.Any("c", &c)))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("asked", "credentials", c, "pointer", &c)
	all = append(all, log.String())
	for _, s := range all {
		if strings.Contains(s, c.Password) || strings.Contains(s, hex) {
			t.Errorf("the password is in %s", s)
		}
		if !strings.Contains(s, "alice") || !strings.Contains(s, "PLAIN") {
			t.Errorf("got %s, want to be told about alice", s)
		}
	}
}
