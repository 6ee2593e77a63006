package chaos

// flows are what the judge looks at.
func (a *arena) flows() []Flow {
	party := func(list []*seat) (parties []Party) {
		for _, s := range list {
			for _, n := range s.past {
				parties = append(parties, Party{Seat: s.name, Records: n.log.Records(), Stats: &n.stats})
			}
		}
		return parties
	}
	from, to := party(a.senders()), party(a.receivers())
	corrupt := a.plan.has(F25) && a.plan.Mechanism != underCurve // which does not let it through
	flows := []Flow{{
		Name: "messages", Copies: a.plan.Pattern == PubSub, AnyOrder: a.plan.Send.RequeueUnsent, Corrupt: corrupt, From: from, To: to,
	}}
	if a.plan.Pattern.answers() {
		flows = append(flows, Flow{Name: "answers", Answers: true, AnyOrder: a.plan.Send.RequeueUnsent, Corrupt: corrupt, From: to, To: from})
	}
	return flows
}

// inspect checks what only the run knows of each socket.
func (a *arena) inspect() (fullest float64) {
	for _, s := range a.all() {
		for _, n := range s.past {
			w, d := n.watcher, n.stats.SendDropped
			fullest = max(fullest, w.fullest)
			if w.over != "" {
				a.fail("%s: %s", s.name, w.over)
			}
			if n.failed != "" {
				a.fail("%s: Shutdown: %s", s.name, n.failed)
			}
			if n.unsent < d.Closed {
				a.fail("%s: Close told of %d unsent messages, but %d were dropped: %+v", s.name, n.unsent, d.Closed, n.stats)
			}
			if w.missed {
				continue
			}
			if w.inDoubt != n.stats.InDoubt {
				a.fail("%s: events tell of %d messages in doubt, Stats of %d", s.name, w.inDoubt, n.stats.InDoubt)
			}
			// A REP also drops what it is given for a requester that has gone.
			exact := !a.plan.Send.RequeueUnsent && (a.plan.Pattern != ReqRep || s.sends)
			if w.unsent > d.PeerGone || exact && w.unsent != d.PeerGone {
				a.fail("%s: events tell of %d unsent messages, Stats of %d", s.name, w.unsent, d.PeerGone)
			}
		}
	}
	return fullest
}
