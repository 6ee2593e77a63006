package ringwire

import "fmt"

// Mechanism is how a socket secures its connections. It is opaque: values
// come from this module's own packages. A nil Mechanism is NULL: no
// authentication, no encryption. Packages socket/plain and socket/curve have the others.
type Mechanism interface {
	// Name is the mechanism's name in the ZMTP greeting, such as "NULL".
	Name() string
}

// Credentials are what a connecting peer offered, as an Authenticator sees
// them. They print, and are written to JSON, without the password.
type Credentials struct {
	Mechanism string // "NULL", "PLAIN", "CURVE"
	Address   string // remote network address
	Username  string // PLAIN
	Password  string `json:"-"` // PLAIN
	PublicKey []byte // CURVE, 32 bytes

	// Process is who is at the other end of an ipc connection, as the system tells;
	// nil for other transports, and where the system does not tell (only Linux does).
	Process *Process

	// Certificate is what a peer of tls+tcp has proven to hold, as DER, nil if it was
	// not asked, and Subject who that says it is: its first URI, else its first DNS
	// name, else its first mail address, else its subject.
	Certificate []byte
	Subject     string
}

// Format prints no password, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "%s credentials from %q", c.Mechanism, c.Address)
	if c.Username != "" {
		fmt.Fprintf(f, ", user %q, password redacted", c.Username)
	}
	if len(c.PublicKey) > 0 {
		fmt.Fprintf(f, ", public key %x", c.PublicKey)
	}
	if c.Process != nil {
		fmt.Fprintf(f, ", process %d of user %d", c.Process.PID, c.Process.UID)
	}
	if c.Subject != "" {
		fmt.Fprintf(f, ", certificate of %q", c.Subject)
	}
}

// Process is who has made an ipc connection.
type Process struct {
	PID      int
	UID, GID uint32
}

// Verdict is an Authenticator's answer.
type Verdict struct {
	Allow     bool
	Principal string // who the peer is, shown in events and PeerInfo
}
