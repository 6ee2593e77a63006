package attack

import (
	"path"
	"strings"

	"github.com/ringwire/ringwire/socket"
)

// Attack is one kind of hostile input, or several of which a victim must make the
// same.
type Attack struct {
	SEC        string   // the number of the abuse test whose input it is
	Name       string   // with SEC, unique
	What       string   // in a sentence
	Victims    []string // socket types; nil: all
	Mechanisms []string // nil: NULL
	Networks   []string // nil: tcp and ipc

	Rate    int // connections made in a second
	Hold    int // connections are kept open, up to so many; 0: each ends by itself
	Flood   int // bytes that each connection held goes on to send in a second
	Allowed int // of the connections held; the victim refuses more; 0: all

	Inputs  func(t *Target) []Input // in turn, one for each connection
	Options func(o *socket.Options) // the victim's, beside the defaults; may be nil
	Files   int                     // descriptors that the victim may open more; 0: any number
	Source  string                  // address to connect from over tcp; empty: many

	Must string // an event that the victim must have, whoever of the connections it is about; empty: none

	// Shut says why no newcomer can be served while the attack lasts; empty: one must be.
	Shut string
}

// Want is what a victim does with an input.
type Want int

const (
	Refused Want = iota // it hangs up, with an event that says why
	Kept                // it goes on to serve the connection: a PING is answered
	Left                // the attacker hangs up
	Either              // it hangs up, or the attacker does
)

// Stage is how far a connection is in good order before the input.
type Stage int

const (
	AtOnce     Stage = iota // not at all
	InGreeting              // a greeting was sent
	WhenReady               // the handshake is complete
)

// Input is what one connection sends.
type Input struct {
	Name  string
	After Stage
	Send  []byte // as it is: not sealed, whatever the mechanism
	Want  Want
	Event string // of Refused: kind and reason of the victim's event
	// Script is what happens instead of sending; its error is a surprise. That the
	// victim hangs up is none.
	Script func(c *Conn) error
	// Flood is what a connection goes on to send, its n-th piece, and what the victim
	// may keep of that beside its bytes. Without it a flood is Send again and again.
	Flood func(n int) (send []byte, keeps int64)
}

// Cell is an attack on one victim.
type Cell struct {
	Attack    *Attack
	Victim    string // PULL, ROUTER or XPUB
	Mechanism string // NULL, PLAIN or CURVE
	Network   string // tcp or ipc
}

// Title is the name of an attack.
func (a *Attack) Title() string { return a.SEC + "-" + a.Name }

// Name is the name of a cell.
func (c Cell) Name() string {
	return strings.Join([]string{c.Attack.Title(), strings.ToLower(c.Victim), strings.ToLower(c.Mechanism), c.Network}, "/")
}

var (
	victims    = []string{"PULL", "ROUTER", "XPUB"}
	peerOf     = map[string]string{"PULL": "PUSH", "ROUTER": "DEALER", "XPUB": "SUB"}
	mechanisms = []string{"NULL", "PLAIN", "CURVE"}
	networks   = []string{"tcp", "ipc"}
)

// Cells are all cells whose name, or whose attack's, matches one of the patterns:
// without patterns all that this system can play.
func Cells(patterns []string) []Cell {
	var list []Cell
	for i := range catalogue {
		a := &catalogue[i]
		for _, v := range or(a.Victims, victims) {
			for _, m := range or(a.Mechanisms, mechanisms[:1]) {
				for _, n := range or(a.Networks, networks) {
					if c := (Cell{a, v, m, n}); c.matches(patterns) && playable(c) {
						list = append(list, c)
					}
				}
			}
		}
	}
	return list
}

func or(list, all []string) []string {
	if list == nil {
		return all
	}
	return list
}

func (c Cell) matches(patterns []string) bool {
	for _, p := range patterns {
		for _, name := range []string{c.Name(), c.Attack.Title()} {
			if ok, err := path.Match(p, name); err == nil && ok {
				return true
			}
		}
	}
	return len(patterns) == 0
}

// find is the attack of a title.
func find(title string) *Attack {
	for i := range catalogue {
		if catalogue[i].Title() == title {
			return &catalogue[i]
		}
	}
	return nil
}
