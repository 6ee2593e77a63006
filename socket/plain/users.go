package plain

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
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
	turn      chan struct{} // held by who guesses, and for rest after a wrong guess
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
	return account{salt, key, n, make(chan struct{}, 1)}, nil
}

// rest is how long a name waits after a wrong password. Hashes cost so much that
// whoever tries passwords would otherwise keep all processors busy.
const rest = time.Second

// Users is an Authenticator that lets in who is in hashes, by name, with the
// password of which Hash made the value. The principal is the name. A value that
// Hash did not make is an error that names the user.
//
// However many passwords come, they are hashed by half of the processors, and after a
// wrong one that name waits for a second, all unknown names together: trying the
// passwords of a name costs a server a part of one processor. A password that was right once is not hashed again, so a name that is
// under attack lets its owner in as before, unless that comes for the first time.
// A wrong password takes as long as an unknown name.
func Users(hashes map[string]string) (func(context.Context, ringwire.Credentials) (ringwire.Verdict, error), error) {
	u := &users{
		accounts: make(map[string]account, len(hashes)), turn: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), derive: derive,
		right: make(map[digest]bool), wrong: make(map[digest]bool),
	}
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
	u.nobody = account{salt: make([]byte, saltSize), key: make([]byte, hashSize), rounds: rounds, turn: make(chan struct{}, 1)}
	return u.judge, nil
}

// digest stands for a pair of name and password without having it.
type digest [sha256.Size]byte

type users struct {
	// Immutable.
	accounts map[string]account
	nobody   account       // of names that are not in it
	secret   [32]byte      // of digests
	turn     chan struct{} // has one for each hash that is being made: passwords must not take every processor
	derive   func(password string, a account) ([]byte, error)

	mu    sync.Mutex
	right map[digest]bool // guarded by mu; at most one for each account
	wrong map[digest]bool // likewise, at most maxRemembered
}

// maxRemembered bounds wrong.
const maxRemembered = 10_000

func derive(password string, a account) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, a.salt, a.rounds, hashSize)
}

func (u *users) judge(ctx context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
	if c.Mechanism == "NULL" {
		return ringwire.Verdict{}, errors.New("plain: a peer of NULL has no name: the socket's Options.Mechanism is missing, want Server")
	}
	if c.Mechanism != "PLAIN" {
		return ringwire.Verdict{}, fmt.Errorf("plain: credentials of %s, want PLAIN", c.Mechanism)
	}
	id := u.digest(c)
	right, wrong := u.recall(id)
	if !right && !wrong {
		var err error
		if right, err = u.ask(ctx, c, id); err != nil {
			return ringwire.Verdict{}, fmt.Errorf("plain: %w", err)
		}
	}
	if !right {
		return ringwire.Verdict{}, nil
	}
	return ringwire.Verdict{Allow: true, Principal: c.Username}, nil
}

// ask hashes a password when it is its name's turn, and then its own.
func (u *users) ask(ctx context.Context, c ringwire.Credentials, id digest) (right bool, err error) {
	a, known := u.accounts[c.Username]
	if !known {
		a = u.nobody
	}
	if err := take(ctx, a.turn); err != nil {
		return false, err
	}
	// It may have been hashed while this one waited.
	right, wrong := u.recall(id)
	if !right && !wrong {
		right, err = u.hash(ctx, c.Password, a)
		right = right && known
		if err == nil {
			u.remember(id, right)
		}
	}
	if right || wrong || err != nil {
		<-a.turn
	} else {
		time.AfterFunc(rest, func() { <-a.turn })
	}
	return right, err
}

// take waits for a turn.
func take(ctx context.Context, turn chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err // whoever asked has gone, and the turn may be free
	}
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("too many passwords to look at: %w", ctx.Err())
	}
}

// hash reports whether a password is that of an account.
func (u *users) hash(ctx context.Context, password string, a account) (bool, error) {
	if err := take(ctx, u.turn); err != nil {
		return false, err
	}
	defer func() { <-u.turn }()
	key, err := u.derive(password, a)
	return err == nil && subtle.ConstantTimeCompare(key, a.key) == 1, err
}

func (u *users) digest(c ringwire.Credentials) digest {
	mac := hmac.New(sha256.New, u.secret[:])
	mac.Write([]byte{byte(len(c.Username))})
	mac.Write([]byte(c.Username))
	mac.Write([]byte(c.Password))
	return digest(mac.Sum(nil))
}

// recall is what was found out before.
func (u *users) recall(id digest) (right, wrong bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.right[id], u.wrong[id]
}

func (u *users) remember(id digest, right bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if right {
		u.right[id] = true
		return
	}
	if len(u.wrong) >= maxRemembered {
		clear(u.wrong)
	}
	u.wrong[id] = true
}
