package observe

import (
	"expvar"
	"fmt"
	"sync"

	"github.com/ringwire/ringwire/socket"
)

// mapName is the variable that Publish fills.
const mapName = "ringwire"

// Var is a socket as a variable: its type, stats and peers, as they are when the
// variable is read, also after the socket was closed. It registers nothing.
func Var(s *socket.Socket) expvar.Var {
	return expvar.Func(func() any { return viewSocket(s) })
}

// Publish puts Var(s) into the expvar map "ringwire" under a name, until s is closed
// or remove is called. A name can be published again: the newest socket has it, and
// the remove of an older one does nothing. remove may be called several times. The map is
// made by the first Publish; it panics if the program has published something else as
// "ringwire".
func Publish(name string, s *socket.Socket) (remove func()) {
	return published().add(name, s)
}

// published is global as expvar is, in which nothing can be taken back.
var published = sync.OnceValue(func() *names {
	var m *expvar.Map
	switch v := expvar.Get(mapName).(type) {
	case nil:
		m = expvar.NewMap(mapName)
	case *expvar.Map:
		m = v
	default:
		panic(fmt.Sprintf("observe: the expvar variable %q is a %T of somebody else's, want none or a map.", mapName, v))
	}
	return &names{changed: func(name string, w *watch) {
		if w == nil {
			m.Delete(name)
		} else {
			m.Set(name, Var(w.socket))
		}
	}}
})
