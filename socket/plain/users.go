package plain

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
)

// A hash is "pbkdf2-sha256$rounds$salt$key", salt and key in unpadded base64.
const (
	scheme    = "pbkdf2-sha256"
	rounds    = 600_000 // what OWASP recommends for PBKDF2 with SHA-256
	maxRounds = 10_000_000
	saltSize  = 16
	hashSize  = sha256.Size
)

// Hash makes the hash of a password, under a random salt, to be kept where Users
// finds it. It takes a few tenths of a second, on purpose.
func Hash(password string) (string, error) {
	if n := len(password); n > MaxLength {
		return "", fmt.Errorf("plain: password of %d bytes, want at most %d", n, MaxLength)
	}
	salt := make([]byte, saltSize)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("plain: make a salt: %w", err)
	}
	return hash(password, salt, rounds)
}

func hash(password string, salt []byte, rounds int) (string, error) {
	key, err := pbkdf2.Key(sha256.New, password, salt, rounds, hashSize)
	if err != nil {
		return "", fmt.Errorf("plain: %w", err)
	}
	b64 := base64.RawStdEncoding
	return strings.Join([]string{scheme, strconv.Itoa(rounds), b64.EncodeToString(salt), b64.EncodeToString(key)}, "$"), nil
}

// account is a parsed hash.
type account struct {
	salt, key []byte
	rounds    int
}

func parse(h string) (account, error) {
	parts := strings.Split(h, "$")
	if len(parts) != 4 || parts[0] != scheme {
		return account{}, fmt.Errorf("want %s$rounds$salt$key, as Hash makes it", scheme)
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n < 1 || n > maxRounds {
		return account{}, fmt.Errorf("rounds %q, want 1 to %d", parts[1], maxRounds)
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[2])
	if err != nil || len(salt) == 0 {
		return account{}, fmt.Errorf("the salt is no unpadded base64")
	}
	key, err := base64.RawStdEncoding.DecodeString(parts[3])
	if err != nil || len(key) != hashSize {
		return account{}, fmt.Errorf("the key is not %d bytes of unpadded base64", hashSize)
	}
	return account{salt, key, n}, nil
}

// remembered is how long a password that was right need not be hashed again: a
// client that reconnects often must not cost a hash each time.
const remembered = time.Minute

// Users is an Authenticator that lets in who is in hashes, by name, with the
// password of which Hash made the value. The principal is the name. A wrong
// password takes as long as an unknown name, and however many come, they are looked at
// by half of the processors. A value that Hash did not make is an
// error that names the user.
func Users(hashes map[string]string) (func(context.Context, ringwire.Credentials) (ringwire.Verdict, error), error) {
	u := &users{accounts: make(map[string]account, len(hashes)), right: make(map[[sha256.Size]byte]time.Time)}
	for name, h := range hashes {
		a, err := parse(h)
		if err != nil {
			return nil, fmt.Errorf("plain: the hash of user %q: %w", name, err)
		}
		u.accounts[name] = a
	}
	if _, err := rand.Read(u.secret[:]); err != nil {
		return nil, fmt.Errorf("plain: make a key: %w", err)
	}
	u.hashing = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))
	u.nobody = account{salt: make([]byte, saltSize), key: make([]byte, hashSize), rounds: rounds}
	return u.judge, nil
}

type users struct {
	accounts map[string]account // immutable
	nobody   account            // of names that are not in it; immutable
	secret   [32]byte           // of the keys of right; immutable
	hashing  chan struct{}      // one for each hash that is being made: passwords must not take every processor

	mu    sync.Mutex
	right map[[sha256.Size]byte]time.Time // until when a password need not be hashed; guarded by mu
}

// maxRemembered bounds right.
const maxRemembered = 10_000

func (u *users) judge(ctx context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
	if c.Mechanism != "PLAIN" {
		return ringwire.Verdict{}, fmt.Errorf("plain: credentials of %s, want PLAIN", c.Mechanism)
	}
	a, known := u.accounts[c.Username]
	if !known {
		a = u.nobody
	}
	id := u.digest(c)
	if known && u.recall(id) {
		return ringwire.Verdict{Allow: true, Principal: c.Username}, nil
	}
	select {
	case u.hashing <- struct{}{}:
		defer func() { <-u.hashing }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return ringwire.Verdict{}, fmt.Errorf("plain: too many passwords to look at: %w", err)
	}
	key, err := pbkdf2.Key(sha256.New, c.Password, a.salt, a.rounds, hashSize)
	if err != nil {
		return ringwire.Verdict{}, fmt.Errorf("plain: %w", err)
	}
	if subtle.ConstantTimeCompare(key, a.key) != 1 || !known {
		return ringwire.Verdict{}, nil
	}
	u.remember(id)
	return ringwire.Verdict{Allow: true, Principal: c.Username}, ctx.Err()
}

// digest names a pair of name and password without having it.
func (u *users) digest(c ringwire.Credentials) (d [sha256.Size]byte) {
	mac := hmac.New(sha256.New, u.secret[:])
	mac.Write([]byte{byte(len(c.Username))})
	mac.Write([]byte(c.Username))
	mac.Write([]byte(c.Password))
	return [sha256.Size]byte(mac.Sum(nil))
}

func (u *users) recall(id [sha256.Size]byte) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	until, ok := u.right[id]
	return ok && time.Now().Before(until)
}

func (u *users) remember(id [sha256.Size]byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.right) >= maxRemembered {
		clear(u.right)
	}
	u.right[id] = time.Now().Add(remembered)
}
