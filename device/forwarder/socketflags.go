package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// specs are the socket types, in the order in which they are told.
var specs = []*pattern.Spec{
	pattern.Pub, pattern.Sub, pattern.XPub, pattern.XSub, pattern.Push, pattern.Pull,
	pattern.Req, pattern.Rep, pattern.Dealer, pattern.Router, pattern.Pair,
}

func specNames() string {
	var names []string
	for _, s := range specs {
		names = append(names, strings.ToLower(s.Name()))
	}
	return strings.Join(names, ", ")
}

func findSpec(name string) (*pattern.Spec, error) {
	for _, s := range specs {
		if strings.EqualFold(s.Name(), name) {
			return s, nil
		}
	}
	return nil, usagef("--type is %q, want one of %s", name, specNames())
}

// socketFlags are what the tools need for a socket.
func socketFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "type", Usage: "`type` of the socket: " + specNames(), Required: true},
		&cli.StringSliceFlag{Name: "connect", Usage: "`endpoint` to connect to; repeatable"},
		&cli.StringSliceFlag{Name: "bind", Usage: "`endpoint` to bind; repeatable"},
		&cli.BoolFlag{Name: "insecure", Usage: insecureUsage},
		&cli.StringFlag{Name: "curve-allow", Usage: "be a CURVE server for the clients whose certificates are in a `directory`, or for any"},
		&cli.StringSliceFlag{Name: "subscribe", Usage: "`prefix` to subscribe to; repeatable; without it, everything (sub, xsub)"},
		&cli.StringFlag{Name: "identity", Usage: "`name` by which a ROUTER addresses us (req, dealer, router)"},
	}
}

const insecureUsage = "allow to bind tcp addresses that others can reach, without encryption"

// clientFlags are what the tools need to talk to a CURVE server.
func clientFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "curve-server-key", Usage: "be a CURVE client of the server whose certificate is this `file`"},
		&cli.StringFlag{Name: "curve-key", Usage: "`file` with our secret key; without one a client has a new key, which some servers allow"},
	}
}

// curveFlags have what clientFlags and socketFlags say of keys put into o.
func curveFlags(c *cli.Command, o *socket.Options) error {
	f := curveFiles{allow: c.String("curve-allow"), server: c.String("curve-server-key")}
	if path := c.String("curve-key"); path != "" {
		f.own = []string{path}
	}
	names := curveNames{own: "--curve-key", allow: "--curve-allow", server: "--curve-server-key"}
	if err := f.check(names); err != nil {
		return err
	}
	if !f.encrypts() {
		if len(f.own) > 0 {
			return usagef("--curve-key is given and nothing uses it: want --curve-server-key, too")
		}
		return nil
	}
	k, err := f.read(names, nil)
	if err == nil {
		err = f.secure(o, k)
	}
	if err != nil {
		return &usageError{err}
	}
	return nil
}

// openSocket makes what the flags say. The caller closes both.
func openSocket(c *cli.Command) (*socket.Socket, *trouble, error) {
	spec, err := findSpec(c.String("type"))
	if err != nil {
		return nil, nil, err
	}
	opts := &socket.Options{}
	if id := c.String("identity"); id != "" {
		opts.Identity = []byte(id)
	}
	if err := curveFlags(c, opts); err != nil {
		return nil, nil, err
	}
	var list []endpoint
	for _, t := range c.StringSlice("bind") {
		list = append(list, endpoint{address: t})
	}
	for _, t := range c.StringSlice("connect") {
		list = append(list, endpoint{address: t, connects: true})
	}
	if len(list) == 0 {
		return nil, nil, usagef("%s needs --connect or --bind", c.Name)
	}
	for _, e := range list {
		name := "--bind"
		if e.connects {
			name = "--connect"
		}
		if err := checkAddress(e.address, !e.connects); err != nil {
			return nil, nil, usagef("%s %w", name, err)
		}
		if why := e.exposed(); why != "" && opts.Mechanism == nil && !c.Bool("insecure") {
			return nil, nil, usagef("--bind %s is %s: want --curve-allow, a loopback address or ipc, or --insecure", e.address, why)
		}
	}
	subscribes := spec == pattern.Sub || spec == pattern.XSub
	if c.IsSet("subscribe") && !subscribes {
		return nil, nil, usagef("--subscribe is for sub and xsub, not for %s", strings.ToLower(spec.Name()))
	}
	s, err := socket.New(spec, opts)
	if err != nil {
		return nil, nil, &usageError{err}
	}
	t := newTrouble(s)
	if err := open(s, subscribes, c.StringSlice("subscribe"), list); err != nil {
		t.close()
		s.Close()
		return nil, nil, err
	}
	return s, t, nil
}

// open subscribes, binds and connects.
func open(s *socket.Socket, subscribes bool, prefixes []string, list []endpoint) error {
	if subscribes {
		if len(prefixes) == 0 {
			prefixes = []string{""}
		}
		for _, p := range prefixes {
			if err := s.Subscribe(p); err != nil {
				return fmt.Errorf("subscribe: %w", err)
			}
		}
	}
	for _, e := range list {
		var err error
		if e.connects {
			err = s.Connect(e.address)
		} else {
			_, err = s.Bind(e.address)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
