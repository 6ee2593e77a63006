package plain_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/plain"
)

// A server that knows its users by hashes of their passwords.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	hash, err := plain.Hash("open sesame") // once, and kept in a file
	check(err)
	users, err := plain.Users(map[string]string{"ali": hash})
	check(err)
	pull, err := socket.New(pattern.Pull, &socket.Options{Mechanism: plain.Server(), Authenticator: users})
	check(err)
	defer pull.Close()
	endpoint, err := pull.Bind("ipc://*")
	check(err)

	mechanism, err := plain.Client("ali", "open sesame")
	check(err)
	push, err := socket.New(pattern.Push, &socket.Options{Mechanism: mechanism})
	check(err)
	defer push.Close()
	check(push.Connect(endpoint))
	check(push.Send(ctx, []byte("let me in")))
	m, err := pull.Recv(ctx)
	check(err)
	fmt.Printf("%s: %s\n", m.Peer().Principal(), m.Bytes())
	// Output: ali: let me in
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// TestUsers: only the right password of a known name is let in, and hashes that
// Hash did not make are refused.
func TestUsers(t *testing.T) {
	hash, err := plain.Hash("right")
	if err != nil {
		t.Fatal(err)
	}
	users, err := plain.Users(map[string]string{"u": hash})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, password string
		want           bool
	}{{"u", "right", true}, {"u", "right", true}, {"u", "wrong", false}, {"u", "", false}, {"", "right", false}, {"v", "right", false}, {"u", "right ", false}} {
		v, err := users(t.Context(), ringwire.Credentials{Mechanism: "PLAIN", Username: c.name, Password: c.password})
		if err != nil || v.Allow != c.want || v.Allow && v.Principal != c.name {
			t.Errorf("%q with %q: got %+v, %v, want allowed %v", c.name, c.password, v, err, c.want)
		}
	}
	if v, err := users(t.Context(), ringwire.Credentials{Mechanism: "NULL", Username: "u", Password: "right"}); v.Allow || err == nil {
		t.Errorf("credentials of NULL: got %+v, %v, want no", v, err)
	}
	for _, bad := range []string{"", "right", "md5$1$AA$AA", strings.Replace(hash, "$6", "$0", 1), hash + "$", strings.Replace(hash, "600000", "99999999", 1), hash[:len(hash)-2]} {
		if _, err := plain.Users(map[string]string{"u": bad}); err == nil || !strings.Contains(err.Error(), `"u"`) {
			t.Errorf("hash %q: got %v, want an error that names the user", bad, err)
		}
	}
	if _, err := plain.Hash(strings.Repeat("p", plain.MaxLength+1)); err == nil {
		t.Error("a password of 256 bytes: got nil, want an error")
	}
}

// TestSEC13Refused: whatever is no clear yes keeps a client out. It is told so if
// that was a no, and not if nothing could be found out.
func TestSEC13Refused(t *testing.T) {
	for name, auth := range map[string]socket.Authenticator{
		"no": func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) { return ringwire.Verdict{}, nil },
		"no, with a reason": func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) {
			return ringwire.Verdict{}, fmt.Errorf("not on Sundays: %w", ringwire.ErrRejected)
		},
		"error": func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) {
			return ringwire.Verdict{Allow: true}, errors.New("out of order")
		},
		"panic": func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) { panic("out of order") },
		"late": func(ctx context.Context, _ ringwire.Credentials) (ringwire.Verdict, error) {
			<-ctx.Done()
			return ringwire.Verdict{Allow: true}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := socket.New(pattern.Pull, &socket.Options{Mechanism: plain.Server(), Authenticator: auth, HandshakeTimeout: 200 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			events := server.Events(t.Context())
			at, err := server.Bind("tcp://127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			mechanism, err := plain.Client("u", "secret")
			if err != nil {
				t.Fatal(err)
			}
			client, err := socket.New(pattern.Push, &socket.Options{Mechanism: mechanism})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			hears := client.Events(t.Context())
			if err := client.Connect(at); err != nil {
				t.Fatal(err)
			}
			for ev := range events {
				if ev.Kind != socket.Rejected && ev.Kind != socket.HandshakeFailed {
					if ev.Kind == socket.Ready {
						t.Fatal("the client was let in")
					}
					continue
				}
				if strings.Contains(ev.Err.Error(), "secret") {
					t.Errorf("the password is in the event: %v", ev.Err)
				}
				break
			}
			want := socket.HandshakeFailed
			if strings.HasPrefix(name, "no") {
				want = socket.Rejected
			}
			for ev := range hears {
				if ev.Kind == socket.Rejected || ev.Kind == socket.HandshakeFailed {
					if ev.Kind != want {
						t.Errorf("the client's event: got %v: %v, want %v", ev.Kind, ev.Err, want)
					}
					break
				}
			}
		})
	}
}

// TestPasswordsTakeTurns: however many wrong passwords come, each is looked at in its
// turn, or not at all when its time is over.
func TestPasswordsTakeTurns(t *testing.T) {
	hash, err := plain.Hash("right")
	if err != nil {
		t.Fatal(err)
	}
	users, err := plain.Users(map[string]string{"u": hash})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	turned := 0
	done := make(chan error)
	for range 50 {
		go func() {
			_, err := users(ctx, ringwire.Credentials{Mechanism: "PLAIN", Username: "u", Password: "wrong"})
			done <- err
		}()
	}
	for range 50 {
		if err := <-done; errors.Is(err, context.Canceled) {
			turned++
		}
	}
	if turned != 50 {
		t.Errorf("%d of 50 passwords were looked at with no time left", 50-turned)
	}
}

// TestMechanismMissing: Users on a socket without a Mechanism says what is missing.
func TestMechanismMissing(t *testing.T) {
	judge, err := plain.Users(nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := judge(t.Context(), ringwire.Credentials{Mechanism: "NULL"})
	if want := "Options.Mechanism is missing"; v.Allow || err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %+v, %v, want an error that says %s", v, err, want)
	}
}
