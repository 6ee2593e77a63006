package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/examples/10-majordomo/mdp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestARequestSurvivesARestart: of the broker and of Titanic, and is answered by a
// worker that came later.
func TestARequestSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of the bubble's clock
		defer cancel()
		var out bytes.Buffer
		if err := run(ctx, 20*time.Millisecond, dir, &out); err != nil {
			t.Fatalf("%v after:\n%s", err, out.String())
		}
		want := `client: the request is stored, there is no worker for it
client: there is no reply yet
Titanic and the broker are dead, and are started again
worker: iceberg
client: the reply is iceberg!
client: request and reply are forgotten
`
		if out.String() != want {
			t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
		}
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("got files %v, %v, want none", left, err)
	}
}

// TestEachRequestIsExecutedInOrder: while one for a service that nobody offers waits,
// and not again after a restart.
func TestEachRequestIsExecutedInOrder(t *testing.T) {
	dir := t.TempDir()
	var executed []string
	serving := func(test func(ctx context.Context, c client) error) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			const endpoint = "inproc://broker"
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // of the bubble's clock
			var wg sync.WaitGroup
			defer wg.Wait()
			defer cancel()
			config := mdp.Config{}
			wg.Go(func() { mdp.RunBroker(ctx, endpoint, config) })
			wg.Go(func() { runTitanic(ctx, endpoint, dir, mdp.Config{Heartbeat: time.Second}) })
			wg.Go(func() {
				mdp.RunWorker(ctx, endpoint, "note", func(_ context.Context, body [][]byte) [][]byte {
					executed = append(executed, string(body[0]))
					return body
				}, config)
			})
			c, err := newClient(endpoint, config)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := test(ctx, c); err != nil {
				t.Error(err)
			}
		})
	}
	var ids, want []string
	serving(func(ctx context.Context, c client) error {
		if _, err := c.request(ctx, "nobody", []byte("waits")); err != nil {
			return err
		}
		for i := range 5 {
			time.Sleep(time.Millisecond) // ids have the time in milliseconds
			id, err := c.request(ctx, "note", fmt.Append(nil, i))
			if err != nil {
				return err
			}
			ids, want = append(ids, id), append(want, fmt.Sprint(i))
		}
		_, err := c.wait(ctx, ids[4], time.Second)
		return err
	})
	serving(func(ctx context.Context, c client) error {
		for i, id := range ids {
			// It may be asked for any number of times.
			for range 2 {
				if body, err := c.reply(ctx, id); err != nil || string(body[0]) != want[i] {
					return fmt.Errorf("reply %d: got %q, %w", i, body, err)
				}
			}
		}
		id, err := c.request(ctx, "note", []byte("last"))
		if err != nil {
			return err
		}
		_, err = c.wait(ctx, id, time.Second)
		return err
	})
	if want = append(want, "last"); !slices.Equal(executed, want) {
		t.Errorf("executed %q, want %q", executed, want)
	}
}

// TestRFC9Status: what is not known is 400 to titanic.reply, and 200 to titanic.close.
func TestRFC9Status(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.reply")
	if err := os.WriteFile(secret, []byte("\x06secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	titanic := titanic{store: s, stored: make(chan struct{}, 1)}
	for _, id := range []string{"", "../secret", strings.Repeat("0", 32), strings.Repeat("G", 32), strings.Repeat("0", 31) + "/"} {
		if got := titanic.reply(t.Context(), [][]byte{[]byte(id)}); len(got) != 1 || string(got[0]) != "400" {
			t.Errorf("reply %q: got %q, want 400", id, got)
		}
		if got := titanic.close(t.Context(), [][]byte{[]byte(id)}); len(got) != 1 || string(got[0]) != "200" {
			t.Errorf("close %q: got %q, want 200", id, got)
		}
	}
	if _, err := os.Stat(secret); err != nil {
		t.Errorf("a file beside the store is gone: %v", err)
	}
	got := titanic.request(t.Context(), [][]byte{[]byte("service"), []byte("body")})
	if len(got) != 2 || string(got[0]) != "200" || !valid(string(got[1])) {
		t.Fatalf("request: got %q, want 200 and an id", got)
	}
	if got := titanic.reply(t.Context(), got[1:]); string(got[0]) != "300" {
		t.Errorf("reply: got %q, want 300", got)
	}
}

// TestACrashLeavesNothingHalf: what was not finished is no request and no reply, and is
// cleared away.
func TestACrashLeavesNothingHalf(t *testing.T) {
	dir := t.TempDir()
	s, err := openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	request := [][]byte{[]byte("service"), {}, []byte(strings.Repeat("x", 300))}
	id, err := s.add(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "123.unfinished"), []byte("\x07serv"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err = openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := s.pending(); err != nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("pending: got %q, %v, want %q", ids, err, id)
	}
	if got, err := s.request(id); err != nil || !slices.EqualFunc(got, request, bytes.Equal) {
		t.Errorf("request: got %q, %v, want %q", got, err, request)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("got files %v, %v, want one", left, err)
	}
	// A reply that comes after the request was closed is not kept.
	if err := errors.Join(s.remove(id), s.complete(id, request)); err != nil {
		t.Error(err)
	}
	if _, err := s.reply(id); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reply: got %v, want none", err)
	}
}
