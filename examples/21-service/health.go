package main

import (
	"fmt"
	"net/http"
)

// health is what an orchestrator asks: /healthz, whether to restart the program, and
// /readyz, whether to send clients to it.
func (s *service) health() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if !s.ready.Load() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		stats := s.router.Stats()
		fmt.Fprintf(w, "ready: %d clients, %d requests wait\n", stats.Peers, stats.RecvQueued)
	})
	return mux
}
