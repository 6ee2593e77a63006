package interop_test

import (
	"maps"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
	"github.com/ringwire/ringwire/socket/plain"
)

// way is how the two sides of a connection secure it. A nil *way is NULL.
type way struct {
	name      string // the mechanism, and what we are
	mechanism string
	ours      func(*socket.Options)
	theirs    settings
	principal string // who libzmq's side is to us, if we are the server
	user      string // who we are to libzmq's, if it is the server
}

func (w *way) String() string {
	if w == nil {
		return "NULL"
	}
	return w.name
}

// options are o, secured.
func (w *way) options(o socket.Options) *socket.Options {
	if w != nil {
		w.ours(&o)
	}
	return &o
}

// settings are s, secured.
func (w *way) settings(s settings) settings {
	if w == nil {
		return s
	}
	return merge(w.theirs, s)
}

// start starts a peer process whose libzmq servers know whom to let in.
func (w *way) start(t testing.TB) *python {
	t.Helper()
	py := startPython(t)
	if w != nil {
		py.call(secrets(t).guard())
	}
	return py
}

// check holds what our socket says of its one peer to the way.
func (w *way) check(t *testing.T, us *socket.Socket) {
	t.Helper()
	if w == nil {
		return
	}
	for _, p := range us.Peers() {
		if p.Mechanism != w.mechanism || p.Principal != w.principal {
			t.Errorf("the peer: got mechanism %q, principal %q, want %q, %q", p.Mechanism, p.Principal, w.mechanism, w.principal)
		}
	}
}

func merge(list ...settings) settings {
	all := settings{}
	for _, s := range list {
		maps.Copy(all, s)
	}
	return all
}

// Who is let in everywhere.
const (
	friendName     = "friend"
	friendPassword = "open, please"
)

// safe has the keys and passwords of all tests.
type safe struct {
	server, client, stranger *curve.SecretKey
	users                    socket.Authenticator // lets the friend in by password; remembers for a while that it was right
}

var makeSafe = sync.OnceValues(func() (s safe, err error) {
	for _, k := range []**curve.SecretKey{&s.server, &s.client, &s.stranger} {
		if *k, err = curve.NewSecretKey(); err != nil {
			return s, err
		}
	}
	hash, err := plain.Hash(friendPassword)
	if err != nil {
		return s, err
	}
	s.users, err = plain.Users(map[string]string{friendName: hash})
	return s, err
})

// opened is the safe, and a directory with the friend's public certificate, which
// curve.OpenDirectory and pyzmq's authenticator read.
type opened struct {
	safe
	directory string
	t         testing.TB
}

func secrets(t testing.TB) *opened {
	t.Helper()
	s, err := makeSafe()
	if err != nil {
		t.Fatal(err)
	}
	o := &opened{s, t.TempDir(), t}
	c := &curve.Certificate{Public: s.client.Public(), Metadata: map[string]string{"name": friendName}}
	if err := c.Write(filepath.Join(o.directory, "friend.key")); err != nil {
		t.Fatal(err)
	}
	return o
}

// guard binds pyzmq's ZAP handler in a process.
func (s *opened) guard() command {
	return command{"op": "guard", "passwords": map[string]string{friendName: friendPassword}, "directory": s.directory}
}

// The settings of libzmq.
func (s *opened) curveClient(server curve.PublicKey, key *curve.SecretKey) settings {
	return settings{"CURVE_SERVERKEY": server.String(), "CURVE_PUBLICKEY": key.Public().String(), "CURVE_SECRETKEY": key.Text()}
}

func (s *opened) curveServer() settings {
	return settings{"CURVE_SERVER": 1, "CURVE_SECRETKEY": s.server.Text()}
}

func plainClient(name, password string) settings {
	return settings{"PLAIN_USERNAME": name, "PLAIN_PASSWORD": password}
}

var plainServer = settings{"PLAIN_SERVER": 1}

// What our sockets do the same with.
func (s *opened) weServeCurve(o *socket.Options) {
	m, err := curve.Server(s.stranger, s.server) // the first is one that nobody uses any more
	if err != nil {
		s.t.Fatal(err)
	}
	allowed, err := curve.OpenDirectory(s.directory, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	o.Mechanism, o.Authenticator = m, allowed.Allow
}

func (s *opened) weServePlain(o *socket.Options) {
	o.Mechanism, o.Authenticator = plain.Server(), s.users
}

func (s *opened) weAreCurve(server curve.PublicKey, key *curve.SecretKey) func(*socket.Options) {
	m, err := curve.Client(key, server)
	return s.weAre(m, err)
}

func (s *opened) weArePlain(name, password string) func(*socket.Options) {
	m, err := plain.Client(name, password)
	return s.weAre(m, err)
}

func (s *opened) weAre(m ringwire.Mechanism, err error) func(*socket.Options) {
	if err != nil {
		s.t.Fatal(err)
	}
	return func(o *socket.Options) { o.Mechanism = m }
}

// ways are CURVE and PLAIN, with either side as the server.
func ways(t testing.TB) []*way {
	t.Helper()
	s := secrets(t)
	key := s.client.Public()
	return []*way{
		{"CURVE server", "CURVE", s.weServeCurve, s.curveClient(s.server.Public(), s.client), friendName, ""},
		{"CURVE client", "CURVE", s.weAreCurve(s.server.Public(), s.client), s.curveServer(), "", key.String()},
		{"PLAIN server", "PLAIN", s.weServePlain, plainClient(friendName, friendPassword), friendName, ""},
		{"PLAIN client", "PLAIN", s.weArePlain(friendName, friendPassword), plainServer, "", friendName},
	}
}

// sealed are the ways that seal the traffic, and NULL.
func sealed(t testing.TB) []*way { return append([]*way{nil}, ways(t)[:2]...) }

// secured are all ways, and NULL.
func secured(t testing.TB) []*way { return append([]*way{nil}, ways(t)...) }

// dealers opens a DEALER on either side, not connected.
func (w *way) dealers(t testing.TB, py *python) (*socket.Socket, *pySocket) {
	t.Helper()
	here := &python{py.process, t}
	return newSocket(t, pattern.Dealer, w.options(socket.Options{})), here.open(t.Name(), "DEALER", w.settings(nil))
}
