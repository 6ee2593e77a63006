package main

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// guard lets through what an operator asks for, and not what a web page that the
// operator visits makes the browser ask for.
type guard struct {
	hosts  []string // names besides localhost and addresses; immutable
	origin *http.CrossOriginProtection
	next   http.Handler
}

func newGuard(hosts []string, next http.Handler) *guard {
	g := &guard{origin: http.NewCrossOriginProtection(), next: next}
	for _, h := range hosts {
		g.hosts = append(g.hosts, strings.ToLower(h))
	}
	return g
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if !g.knows(r.Host) {
		http.Error(w, "the Host header names somebody else; --admin-host allows a name", http.StatusForbidden)
		return
	}
	// Reading changes nothing, but who may read is decided as well: no page of
	// another origin.
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		http.Error(w, "asked from another site", http.StatusForbidden)
		return
	}
	if err := g.origin.Check(r); err != nil {
		http.Error(w, "asked from another origin: "+err.Error(), http.StatusForbidden)
		return
	}
	g.next.ServeHTTP(w, r)
}

// knows reports whether a Host header is ours. A name that somebody made resolve
// to this address (DNS rebinding) is not; an address cannot be made to.
func (g *guard) knows(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	name = strings.ToLower(name)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return name == "localhost" || slices.Contains(g.hosts, name)
}
