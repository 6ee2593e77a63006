// Package plain is ZMTP's PLAIN mechanism (RFC 24): a client says its name and
// password, a server lets it in or not. Both travel in the clear, as all traffic
// does: use it over ipc, loopback, or inside something that encrypts.
//
//	hash, err := plain.Hash("the password") // once, and kept
//	if err != nil {
//		return err
//	}
//	users, err := plain.Users(map[string]string{"ann": hash})
//	if err != nil {
//		return err
//	}
//	rep, err := socket.New(pattern.Rep, &socket.Options{Mechanism: plain.Server(), Authenticator: users})
//	if err != nil {
//		return err
//	}
//	defer rep.Close()
//
//	client, err := plain.Client("ann", "the password")
//	if err != nil {
//		return err
//	}
//	req, err := socket.New(pattern.Req, &socket.Options{Mechanism: client})
//	if err != nil {
//		return err
//	}
//	defer req.Close()
//
// Which side is the server has nothing to do with which side binds.
package plain

import (
	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/security"
)

// MaxLength is the longest name and password in bytes (RFC 24).
const MaxLength = security.MaxPlainText

// Client is the client's side. A name or password of more than MaxLength bytes is
// an error. The result prints without the password. (ZMQ_PLAIN_USERNAME,
// ZMQ_PLAIN_PASSWORD.)
func Client(username, password string) (ringwire.Mechanism, error) {
	return security.NewPlainClient(username, password)
}

// Server is the server's side. Its socket must have an Authenticator, such as
// Users. (ZMQ_PLAIN_SERVER.)
func Server() ringwire.Mechanism { return new(security.PlainServer) }
