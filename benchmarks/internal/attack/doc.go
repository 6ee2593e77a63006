// Package attack sends hostile input to a socket that serves others at the same
// time, and measures what those notice of it.
//
// A run has three processes: the victim, which binds a socket; its legitimate peers,
// which exchange messages with it at a steady rate; and the attacker, which speaks to
// it byte by byte over plain connections and shares no code with the library, so that
// it can be wrong in every way. Slices without and with the attack take turns.
//
// The attacker is held to the rate of its attack: what a victim does about input is
// the subject, not how two programs share the processors of one machine.
//
// Reading starts at attack.go, what an attack is, and catalogue.go, which ones there
// are; run.go is what happens in a run, and judge.go what has to hold.
package attack
