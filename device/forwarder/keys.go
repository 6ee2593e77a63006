package main

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
)

// curveFiles are where the keys of one socket are. With none of them it has no
// mechanism.
type curveFiles struct {
	own    []string // secret certificates
	allow  string   // a server: the directory of its clients' certificates, or allowAny
	server string   // a client: the certificate of its server
}

// allowAny stands for every client, in place of a directory.
const allowAny = "any"

// encrypts reports whether there is a mechanism.
func (f curveFiles) encrypts() bool { return f.allow != "" || f.server != "" }

// curveNames are the settings of a side, by what they hold.
type curveNames struct{ own, allow, server string }

// curve are the settings of a side.
func (c *config) curve(side int) (curveFiles, curveNames) {
	allow, server := &c.FrontendCurveAllow, &c.FrontendCurveServerKey
	if side == 1 {
		allow, server = &c.BackendCurveAllow, &c.BackendCurveServerKey
	}
	name := sideNames[side] + "-curve-"
	return curveFiles{own: c.CurveKey.list, allow: allow.value, server: server.value},
		curveNames{own: "curve-key", allow: name + "allow", server: name + "server-key"}
}

// check refuses files that do not go together. A nil error does not mean that they
// can be read.
func (f curveFiles) check(names curveNames) error {
	switch {
	case f.allow != "" && f.server != "":
		return usagef("%s and %s are both given: want the first of a CURVE server, the second of a client", names.allow, names.server)
	case f.allow != "" && len(f.own) == 0:
		return usagef("%s needs %s, the server's secret key, which keygen makes", names.allow, names.own)
	case f.server != "" && len(f.own) > 1:
		return usagef("%s has %d keys, want one with %s", names.own, len(f.own), names.server)
	}
	return nil
}

// keys are what was in the files.
type keys struct {
	own     []*curve.SecretKey
	server  *curve.PublicKey // a client's
	clients *curve.Directory // a server's; nil: any
}

// read reads the files. A client without a key of its own gets a new one.
func (f curveFiles) read(names curveNames, log *slog.Logger) (*keys, error) {
	k := new(keys)
	for _, path := range f.own {
		c, err := curve.ReadCertificate(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", names.own, err)
		}
		if c.Secret == nil {
			return nil, fmt.Errorf("%s %s has no secret key, want the file that ends in _secret", names.own, path)
		}
		k.own = append(k.own, c.Secret)
	}
	switch {
	case f.server != "":
		c, err := curve.ReadCertificate(f.server)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", names.server, err)
		}
		k.server = &c.Public
		if len(k.own) == 0 {
			own, err := curve.NewSecretKey()
			if err != nil {
				return nil, err
			}
			k.own = append(k.own, own)
		}
	case f.allow != "" && f.allow != allowAny:
		var err error
		if k.clients, err = curve.OpenDirectory(f.allow, log); err != nil {
			return nil, fmt.Errorf("%s: %w", names.allow, err)
		}
	}
	return k, nil
}

// secure gives a socket the mechanism that the files describe, if they describe one.
func (f curveFiles) secure(o *socket.Options, k *keys) (err error) {
	if !f.encrypts() {
		return nil
	}
	if k.server != nil {
		o.Mechanism, err = curve.Client(k.own[0], *k.server)
		return err
	}
	o.Mechanism, err = curve.Server(k.own...)
	o.Authenticator = curve.AllowAny
	if k.clients != nil {
		o.Authenticator = k.clients.Allow
	}
	return err
}

// reload looks at the directory of clients.
func (k *keys) reload() error {
	if k.clients == nil {
		return nil
	}
	return k.clients.Reload()
}

// changed are the settings whose files have other keys than k.
func (k *keys) changed(now *keys, names curveNames) (list []string) {
	same := func(a, b *curve.SecretKey) bool { return a.Public() == b.Public() }
	if !slices.EqualFunc(k.own, now.own, same) {
		list = append(list, names.own)
	}
	if k.server != nil && now.server != nil && *k.server != *now.server {
		list = append(list, names.server)
	}
	return list
}

// keyring has the keys of both sides.
type keyring [2]*keys

// readKeys reads the files of both sides that have a mechanism.
func (c *config) readKeys(log *slog.Logger) (ring keyring, err error) {
	for i := range ring {
		files, names := c.curve(i)
		if !files.encrypts() {
			ring[i] = new(keys)
			continue
		}
		sided := log
		if log != nil {
			sided = log.With("side", sideNames[i])
		}
		if ring[i], err = files.read(names, sided); err != nil {
			return ring, &usageError{err}
		}
	}
	return ring, nil
}
