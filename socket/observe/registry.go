package observe

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/ringwire/ringwire/socket"
)

// Registry is an http.Handler that shows the sockets that were added to it: their
// stats, peers and last events, as JSON. The package comment describes every field.
// It answers GET and HEAD on whatever path it stands; with ?socket=name it shows that
// socket only, or 404. The zero value is empty and ready. It is safe for use by any
// number of goroutines, and must not be copied.
type Registry struct{ names names }

// Add shows a socket under a name, until it is closed or removed. A name can be
// added again: the newest socket has it, and the remove of an older one does
// nothing. remove may be called several times.
func (r *Registry) Add(name string, s *socket.Socket) (remove func()) {
	return r.names.add(name, s)
}

// Remove forgets the socket that has the name, if there is one.
func (r *Registry) Remove(name string) { r.names.remove(name) }

type registryView struct {
	Time    time.Time              `json:"time"`
	Sockets map[string]watchedView `json:"sockets"`
}

type watchedView struct {
	socketView
	Events      []eventView `json:"events"`
	EventsTotal int64       `json:"events_total"`
	EventsLost  int64       `json:"events_lost"`
}

// ServeHTTP implements http.Handler.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	list := r.names.all()
	if query := req.URL.Query(); query.Has("socket") {
		name := query.Get("socket")
		one, ok := list[name]
		if !ok {
			http.Error(w, "no such socket", http.StatusNotFound)
			return
		}
		list = map[string]*watch{name: one}
	}
	body, err := render(list)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if req.Method == http.MethodGet {
		w.Write(body) // an error is the client's, who has gone
	}
}

// render leaves <, > and & escaped, as package json does: a browser that is shown
// the answer as a page finds no markup in it.
func render(list map[string]*watch) ([]byte, error) {
	v := registryView{Time: time.Now().UTC(), Sockets: make(map[string]watchedView, len(list))}
	for name, w := range list {
		one := watchedView{socketView: viewSocket(w.socket)}
		one.Events, one.EventsTotal, one.EventsLost = w.events()
		v.Sockets[name] = one
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
