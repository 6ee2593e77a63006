package plain

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
)

// hashing is what a hash takes in these tests, of the bubble's time.
const hashing = 200 * time.Millisecond

// counted are users whose passwords are their names, and the hashes that were made.
type counted struct {
	*users
	mu            sync.Mutex
	now, most, in int // guarded by mu: at once now, at once at most, in all
}

func newCounted(names ...string) *counted {
	c := &counted{}
	c.users = &users{
		accounts: make(map[string]account), nobody: account{key: []byte("nobody's"), turn: make(chan struct{}, 1)}, turn: make(chan struct{}, 1),
		right: make(map[digest]bool), wrong: make(map[digest]bool),
	}
	for _, n := range names {
		c.accounts[n] = account{key: []byte(n), turn: make(chan struct{}, 1)}
	}
	c.derive = func(password string, _ account) ([]byte, error) {
		c.mu.Lock()
		c.in, c.now = c.in+1, c.now+1
		c.most = max(c.most, c.now)
		c.mu.Unlock()
		time.Sleep(hashing) // of the bubble's time: it is what a hash takes
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now--
		return []byte(password), nil
	}
	return c
}

func (c *counted) try(ctx context.Context, name, password string) (ringwire.Verdict, error) {
	return c.judge(ctx, ringwire.Credentials{Mechanism: "PLAIN", Username: name, Password: password})
}

// SEC-22: whoever tries passwords keeps one processor busy at most, for a part of the
// time, and who has the right one gets in beside it.
func TestGuessingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounted("ali", "bea")
		const guesses = 40
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var all sync.WaitGroup
		for i := range guesses {
			for _, name := range []string{"ali", fmt.Sprint("nobody ", i)} {
				all.Go(func() {
					if v, err := c.try(ctx, name, fmt.Sprint("guess ", i)); v.Allow || err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("guess %d of %s: got %+v, %v, want no", i, name, v, err)
					}
				})
			}
		}
		synctest.Wait()
		asked := time.Now()
		if v, err := c.try(ctx, "bea", "bea"); !v.Allow || v.Principal != "bea" || err != nil {
			t.Errorf("the right password: got %+v, %v", v, err)
		}
		if took := time.Since(asked); took > 3*hashing {
			t.Errorf("the right password took %v beside guesses of other names, want at most %v", took, 3*hashing)
		}
		all.Wait()
		if c.most != 1 {
			t.Errorf("got %d hashes at once, want 1", c.most)
		}
		// One for ali and one for nobody in each hashing and rest, and bea's.
		if most := 2*int(time.Since(begin)/(hashing+rest)+1) + 1; c.in > most {
			t.Errorf("got %d hashes in %v, want at most %d", c.in, time.Since(begin), most)
		}
		time.Sleep(2 * rest) // until the last one has let go, of the bubble's time
	})
}

// A password is hashed once, however many come with it at once or later.
func TestPasswordsAreHashedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounted("ali")
		var all sync.WaitGroup
		for range 20 {
			for _, password := range []string{"ali", "wrong"} {
				all.Go(func() {
					if v, err := c.try(t.Context(), "ali", password); v.Allow != (password == "ali") || err != nil {
						t.Errorf("%q: got %+v, %v", password, v, err)
					}
				})
			}
		}
		all.Wait()
		if c.in != 2 {
			t.Errorf("got %d hashes for two passwords, want 2", c.in)
		}
		time.Sleep(2 * rest)
	})
}
