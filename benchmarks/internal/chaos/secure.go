package chaos

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
	"github.com/ringwire/ringwire/socket/plain"
)

// The mechanisms of a run; without one it is NULL.
const (
	underCurve = "CURVE"
	underPlain = "PLAIN"
)

// gatekeeper is the authenticator of the bound side, which may refuse a peer for a while.
type gatekeeper struct {
	refused atomic.Pointer[string] // the principal; nil: everybody is let in
	broken  atomic.Bool            // it is not refused, but nothing can be found out about it
	asked   atomic.Int64           // how often about the refused one
}

var errOutOfOrder = errors.New("chaos: out of order")

// judge is a socket.Authenticator.
func (g *gatekeeper) judge(_ context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
	principal := c.Username
	if c.Mechanism == underCurve {
		principal = curve.PublicKey(c.PublicKey).String()
	}
	if no := g.refused.Load(); no != nil && (*no == principal || *no == everybody) {
		g.asked.Add(1)
		if g.broken.Load() {
			return ringwire.Verdict{}, errOutOfOrder
		}
		return ringwire.Verdict{}, nil
	}
	return ringwire.Verdict{Allow: true, Principal: principal}, nil
}

// everybody stands for all principals.
const everybody = "*"

// keys are those of a run in memory, made for it. Owned by the goroutine of the run.
type keys struct {
	server []*curve.SecretKey          // those that the bound side has, the newest first
	client map[string]*curve.SecretKey // by the principal's name
	gate   *gatekeeper                 // of the bound side
	known  map[string]curve.PublicKey  // which of the server's keys each client knows
}

func newKeys() (*keys, error) {
	k := &keys{client: make(map[string]*curve.SecretKey), gate: new(gatekeeper), known: make(map[string]curve.PublicKey)}
	return k, k.rotate()
}

// rotate makes a new key for the bound side, which keeps the one before.
func (k *keys) rotate() error {
	key, err := curve.NewSecretKey()
	if err == nil {
		k.server = append([]*curve.SecretKey{key}, k.server[:min(len(k.server), 1)]...)
	}
	return err
}

// secure gives the options of a side its mechanism. name is the principal's.
func (k *keys) secure(o *socket.Options, mechanism, name string, hub bool) (err error) {
	switch {
	case mechanism == underPlain && hub:
		o.Mechanism, o.Authenticator = plain.Server(), k.gate.judge
	case mechanism == underPlain:
		o.Mechanism, err = plain.Client(name, "password of "+name)
	case mechanism == underCurve && hub:
		o.Authenticator = k.gate.judge
		o.Mechanism, err = curve.Server(k.server...)
	case mechanism == underCurve:
		key := k.client[name]
		if key == nil {
			if key, err = curve.NewSecretKey(); err != nil {
				return err
			}
			k.client[name] = key
		}
		if _, ok := k.known[name]; !ok {
			k.known[name] = k.server[0].Public()
		}
		o.Mechanism, err = curve.Client(key, k.known[name])
	}
	return err
}

// principal is who the client of that name is to the gatekeeper.
func (k *keys) principal(mechanism, name string) string {
	if mechanism == underCurve {
		return k.client[name].Public().String()
	}
	return name
}

// unwelcome has a leaf refused for a while: it must not come in, and come in after.
func (a *arena) unwelcome(f Planned, leaf *seat) {
	gate := a.keys.gate
	who := a.keys.principal(a.plan.Mechanism, leaf.name)
	gate.broken.Store(f.Choice%3 == 1)
	gate.asked.Store(0)
	gate.refused.Store(&who)
	a.network.Cut(a.hub.host, leaf.host)
	moment := a.now() // of what is made from now on nothing may arrive
	a.pause(f.Length)
	if a.arrives(leaf, moment) {
		a.fail("a message went between %s and %s, who is refused", leaf.name, a.hub.name)
	}
	gate.refused.Store(nil)
}

// rotated has the bound side come back with a new key beside its old one, which a leaf
// still knows, and then a leaf that knows the new one alone.
func (a *arena) rotated(f Planned, leaf *seat) {
	if err := a.keys.rotate(); err != nil {
		a.fail("make a key: %v", err)
		return
	}
	a.restart(a.hub, 0, false, f.Length)
	a.recovered("", a.now(), a.leaves)
	a.keys.known[leaf.name] = a.keys.server[0].Public()
	a.restart(leaf, 0, false, f.Length)
}

// The names of certificates of a run with processes.
const (
	clientKey    = "client"
	serverKey    = "server"
	newServerKey = "server-new"
)

// writeKeys makes the keys of a run, in files, and returns the directory.
func writeKeys(dir string) error {
	for _, name := range []string{clientKey, serverKey, newServerKey} {
		key, err := curve.NewSecretKey()
		if err != nil {
			return err
		}
		if err := (&curve.Certificate{Public: key.Public(), Secret: key}).Write(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// secure gives the options of a worker its mechanism, with the keys that its job names.
func (s *Settings) secure(o *socket.Options, bind bool, gate *gatekeeper) error {
	if s.Keys == "" {
		return nil
	}
	read := func(name string) (*curve.SecretKey, error) {
		c, err := curve.ReadCertificate(filepath.Join(s.Keys, name+"_secret"))
		if err != nil {
			return nil, err
		}
		return c.Secret, nil
	}
	if bind {
		var all []*curve.SecretKey
		for _, name := range s.ServerKeys {
			key, err := read(name)
			if err != nil {
				return err
			}
			all = append(all, key)
		}
		var err error
		o.Authenticator = gate.judge
		o.Mechanism, err = curve.Server(all...)
		return err
	}
	if len(s.ServerKeys) == 0 {
		return errors.New("chaos: a client that knows no server's key")
	}
	key, err := read(clientKey)
	if err != nil {
		return err
	}
	server, err := curve.ReadCertificate(filepath.Join(s.Keys, s.ServerKeys[0]))
	if err != nil {
		return err
	}
	o.Mechanism, err = curve.Client(key, server.Public)
	return err
}

// encrypted has the processes use CURVE.
func encrypted(s *Scenario) { s.Encrypted = true }

// most refusals that a peer may cause in a second that backs off as it must: the first
// come after 10 ms each, the later ones after up to 200.
const mostRefusals = 100

// refused has the authenticator refuse everybody for a second, and a connection cut.
func refused(st *stage) error {
	bound := st.receiver
	if st.senderBinds() {
		bound = st.sender
	}
	before, err := bound.do("look", 0)
	if err == nil {
		_, err = bound.do("refuse", 1)
	}
	if err != nil {
		return err
	}
	st.proxy.Reset()
	moment := clock()
	time.Sleep(time.Second)
	after, err := bound.do("look", 0)
	if err != nil {
		return err
	}
	if n := after.Stats.HandshakesFailed - before.Stats.HandshakesFailed; n == 0 {
		st.fail("nobody was refused in a second")
	}
	if n := after.Stats.HandshakesFailed - before.Stats.HandshakesFailed; n > mostRefusals {
		st.fail("%d handshakes were refused in a second, want at most %d: a storm", n, mostRefusals)
	}
	st.receiver.log.look()
	if st.receiver.log.latest > moment {
		st.fail("a message arrived that was made after its peer was refused")
	}
	_, err = bound.do("refuse", 0)
	return err
}

// rotated has the bound side come back with a new key beside its old one, and then the
// other side with the new one alone.
func rotated(st *stage) error {
	bound, other := st.receiver, st.sender
	if st.senderBinds() {
		bound, other = other, bound
	}
	st.finish(bound, 0)
	st.scenario.Settings.ServerKeys = []string{newServerKey, serverKey}
	if err := st.start(bound.job.Sends); err != nil {
		return err
	}
	if err := st.recovered(clock(), true); err != nil {
		return fmt.Errorf("with the old key: %w", err)
	}
	st.finish(other, 0)
	return st.start(other.job.Sends)
}
