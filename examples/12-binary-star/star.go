package main

import (
	"errors"
	"fmt"
)

// state is what a server is, and the byte that it tells its peer.
type state byte

const (
	primary state = iota + 1 // the primary that has not heard its peer yet
	backup                   // the backup that has not
	active                   // it answers clients
	passive                  // it watches the active one
)

func (s state) String() string {
	switch s {
	case primary:
		return "primary that waits"
	case backup:
		return "backup that waits"
	case active:
		return "active"
	case passive:
		return "passive"
	}
	return fmt.Sprintf("state %d", byte(s))
}

var (
	errSplitBrain = errors.New("both servers are active: their clients were cut off from each other, somebody must decide whose state counts")
	errNobody     = errors.New("both servers are passive: somebody must start one of them again")
)

// hear is the next state of a server that is told its peer's.
func hear(own, peer state) (state, error) {
	switch {
	case own == active && peer == active:
		return own, errSplitBrain
	case own == primary && peer == active, own == backup && peer == active:
		return passive, nil // the peer was faster, or went on while we were away
	case own == primary && peer == backup:
		return active, nil
	case own == passive && (peer == primary || peer == backup):
		return active, nil // it was started again, and knows nothing
	case own == passive && peer == passive:
		return own, errNobody
	}
	return own, nil
}

// vote is the next state of a server that is asked by a client, and whether it answers.
// silent says that the peer was not heard for as long as that means death.
func vote(own state, silent bool) (next state, answers bool) {
	switch {
	case own == active:
		return active, true
	case (own == primary || own == passive) && silent:
		return active, true
	}
	return own, false // the peer lives, or we are a backup that never heard it
}
