package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// page is what a browser needs; nothing of it comes from elsewhere.
//
//go:embed page
var page embed.FS

// admin is the HTTP server that shows and controls a service.
type admin struct {
	service  *service
	listener net.Listener
	server   *http.Server
	handler  atomic.Pointer[guard] // replaced by configure
	config   atomic.Pointer[config]
	done     chan struct{}
}

// startAdmin returns nil when c has no admin.
func (s *service) startAdmin(c *config) (*admin, error) {
	if c.Admin.value == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", c.Admin.value)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	if host, _, _ := net.SplitHostPort(l.Addr().String()); exposedHost(host) != "" && !c.Insecure.value {
		l.Close()
		return nil, fmt.Errorf("admin %s is %s, %s: want a loopback address, or --insecure", c.Admin.value, l.Addr(), exposedHost(host))
	}
	a := &admin{service: s, listener: l, done: make(chan struct{})}
	a.configure(c)
	a.server = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.handler.Load().ServeHTTP(w, r) }),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.With("part", "admin").Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(a.done)
		if err := a.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the admin ended", "err", err)
		}
	}()
	return a, nil
}

// configure takes over what can change while it listens.
func (a *admin) configure(c *config) {
	a.config.Store(c)
	a.handler.Store(newGuard(c.AdminHosts.list, a.routes()))
}

func (a *admin) url() string { return "http://" + a.listener.Addr().String() }

// close lets requests in progress end, for a moment.
func (a *admin) close() {
	ctx, cancel := context.WithTimeout(context.Background(), adminPatience)
	defer cancel()
	if a.server.Shutdown(ctx) != nil {
		a.server.Close()
	}
	<-a.done
}

func (a *admin) routes() http.Handler {
	mux := http.NewServeMux()
	read := func(path string, h http.HandlerFunc) {
		mux.Handle(path, only("GET, HEAD", h, http.MethodGet, http.MethodHead))
	}
	control := func(path string, act func()) {
		mux.Handle(path, only("POST", func(w http.ResponseWriter, _ *http.Request) {
			act()
			w.WriteHeader(http.StatusAccepted)
		}, http.MethodPost))
	}
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic("the page is not embedded: " + err.Error())
	}
	static := http.FileServerFS(files)
	read("/{$}", static.ServeHTTP)
	read("/page.css", static.ServeHTTP)
	read("/page.js", static.ServeHTTP)
	read("/plot.js", static.ServeHTTP)
	read("/healthz", a.health)
	read("/readyz", a.ready)
	read("/metrics", newMetrics(a.service, a.config.Load()).ServeHTTP)
	read("/stats.json", func(w http.ResponseWriter, _ *http.Request) { answer(w, a.stats()) })
	read("/peers.json", a.peers)
	read("/live.json", a.live)
	control("/pause", a.service.pause)
	control("/resume", a.service.resume)
	control("/drain", a.service.askToDrain)
	return mux
}

// only answers to a few methods.
func only(allowed string, h http.HandlerFunc, methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, m := range methods {
			if r.Method == m {
				h(w, r)
				return
			}
		}
		w.Header().Set("Allow", allowed)
		http.Error(w, "the method "+strconv.Quote(r.Method)+" is not for this, want "+allowed, http.StatusMethodNotAllowed)
	})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // an error is the client's, who is gone
}

// health says whether the program works at all.
func (a *admin) health(w http.ResponseWriter, _ *http.Request) {
	if !a.service.watcher.alive() {
		http.Error(w, "the sockets have not answered for seconds", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// ready says whether it forwards: all is bound, and it neither drains nor pauses.
func (a *admin) ready(w http.ResponseWriter, r *http.Request) {
	switch {
	case a.service.draining.Load():
		http.Error(w, "draining", http.StatusServiceUnavailable)
	case a.service.device.Stats().Paused:
		http.Error(w, "paused", http.StatusServiceUnavailable)
	default:
		a.health(w, r)
	}
}

func (a *admin) stats() statsView {
	w := a.service.watcher
	return viewStats(a.config.Load(), w.now(), w.started, a.service.draining.Load())
}

func (a *admin) peers(w http.ResponseWriter, _ *http.Request) {
	sn := a.service.watcher.now()
	answer(w, struct {
		Time  time.Time  `json:"time"`
		Peers []peerView `json:"peers"`
	}{utc(sn.Time), viewPeers(sn, 0)})
}

// pagePeers is how many peers the page shows.
const pagePeers = 200

// live is what the page asks for, once a second: only the points of the plot that
// it does not have.
func (a *admin) live(w http.ResponseWriter, r *http.Request) {
	since, _ := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64) // wrong: from the beginning
	watcher := a.service.watcher
	sn := watcher.now()
	watcher.mu.Lock()
	points := watcher.history.since(since)
	watcher.mu.Unlock()
	answer(w, struct {
		Stats   statsView   `json:"stats"`
		Started time.Time   `json:"started"` // another time is another process: the plot begins anew
		Peers   []peerView  `json:"peers"`
		All     int         `json:"all_peers"`
		History []point     `json:"history"`
		Events  []eventView `json:"events"`
	}{a.stats(), utc(watcher.started), viewPeers(sn, pagePeers), len(sn.Sides[0].Peers) + len(sn.Sides[1].Peers), points, watcher.events.all()})
}
