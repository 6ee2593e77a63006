package chaos

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// stage is one scenario while it is played: a sender and a receiver, of which
// one is bound, and what is between them.
type stage struct {
	// Immutable.
	scenario Scenario
	program  Programs
	dir      string
	ctx      context.Context

	// Owned by the goroutine of the run.
	sender, receiver *process
	past             []*ended
	between          *forwarder // may be nil
	cuts             int        // how often it was killed
	account          *account   // what it said at the end
	proxy            *Proxy
	world            *islands
	names            *nameServer
	lanes            uint32
	logs             int
	bound, dialed    string // endpoints; of a forwarder, its front and its back
	outcome          *Outcome
}

// ended is a process of which nothing more comes.
type ended struct {
	seat   string
	log    string
	sends  bool
	killed bool
	final  *Final
}

// Programs are what the processes of a scenario run.
type Programs struct {
	Worker    string // of which "chaos-worker" is a command
	Forwarder string // device/forwarder, for scenarios that have Between
}

// RunReal plays a scenario with processes.
func RunReal(ctx context.Context, program Programs, s Scenario) *Outcome {
	o := &Outcome{
		Name: s.Name(), Replay: s.Replay(), Plan: s.What, Library: s.Library, Where: s.Where, Pattern: s.Pattern, Faults: []Fault{s.Fault},
		Recovery: make(map[Fault][]float64), Skipped: s.Skip,
	}
	if s.Skip != "" {
		return o
	}
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		o.Broken = append(o.Broken, err.Error())
		return o
	}
	defer os.RemoveAll(dir)
	st := &stage{scenario: s, program: program, dir: dir, ctx: ctx, outcome: o}
	defer st.cleanUp()
	if err := st.play(); err != nil {
		if skip, ok := err.(*skipError); ok {
			o.Skipped = skip.why
			return o
		}
		st.fail("%v", err)
	}
	st.judge()
	return o
}

// skipError says why something cannot be done here.
type skipError struct{ why string }

func (e *skipError) Error() string { return e.why }

func (st *stage) fail(format string, args ...any) {
	st.outcome.Broken = append(st.outcome.Broken, fmt.Sprintf(format, args...))
}

func (st *stage) cleanUp() {
	for _, p := range []*process{st.sender, st.receiver} {
		if p != nil {
			st.thaw(p)
			p.Kill()
			p.log.close()
		}
	}
	if st.between != nil {
		st.between.kill()
	}
	if st.proxy != nil {
		st.proxy.Close()
	}
	if st.world != nil {
		st.world.close()
	}
	if st.names != nil {
		st.names.close()
	}
}

// senderBinds reports whether the sender is bound, which publishers are.
func (st *stage) senderBinds() bool { return st.scenario.Pattern == PubSub }

// endpoints chooses where the two meet.
func (st *stage) endpoints() error {
	s := &st.scenario
	if s.Where == "ipc" {
		st.bound = "ipc://" + filepath.Join(st.dir, "s")
		st.dialed = st.bound
		if s.Between {
			st.dialed = "ipc://" + filepath.Join(st.dir, "b")
		}
		return nil
	}
	if s.Between {
		return st.places()
	}
	host := "127.0.0.1"
	if s.Islands {
		world, err := newIslands()
		if err != nil {
			return &skipError{err.Error()}
		}
		st.world = world
		host = world.addresses[1]
	}
	if s.Moves {
		names, err := newNameServer("127.0.0.2")
		if err != nil {
			return err
		}
		st.names = names
		host = "127.0.0.2"
	}
	port := "5555" // of an own namespace
	if !s.Islands {
		l, err := net.Listen("tcp", host+":0")
		if err != nil {
			return &skipError{err.Error()}
		}
		_, port, _ = net.SplitHostPort(l.Addr().String())
		l.Close()
	}
	st.bound = "tcp://" + net.JoinHostPort(host, port)
	st.dialed = st.bound
	switch {
	case s.Moves:
		st.dialed = "tcp://" + net.JoinHostPort(movingName, port)
	case !s.Islands:
		proxy, err := NewProxy(net.JoinHostPort(host, port), 1)
		if err != nil {
			return err
		}
		st.proxy = proxy
		st.dialed = "tcp://" + proxy.Address()
	}
	return nil
}

// places chooses where a forwarder is bound.
func (st *stage) places() error {
	for _, place := range []*string{&st.bound, &st.dialed} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return &skipError{err.Error()}
		}
		defer l.Close() // not before there is the other
		*place = "tcp://" + l.Addr().String()
	}
	return nil
}

// startBetween starts the forwarder. There may have been another before.
func (st *stage) startBetween() (err error) {
	st.between, err = startForwarder(st.ctx, st.program.Forwarder, st.scenario.Pattern, st.bound, st.dialed)
	return err
}

// start starts one side. There may have been another before.
func (st *stage) start(sends bool) error {
	s := &st.scenario
	job := Job{
		Library: s.Library, Pattern: s.Pattern, Sends: sends, Bind: sends == st.senderBinds(), Endpoint: st.dialed, Lane: st.lanes + 1,
		Log: filepath.Join(st.dir, fmt.Sprintf("log%d", st.logs)), Load: s.Load, Settings: s.Settings,
	}
	st.logs++
	job.Sockets = 1
	if !job.Bind && s.Peers > 0 {
		job.Sockets = s.Peers
	}
	st.lanes += uint32(job.Sockets)
	which := 0
	switch {
	case s.Between:
		job.Bind, job.Hops = false, 1
		if sends {
			job.Endpoint = st.bound
		}
	case job.Bind:
		job.Endpoint, which = st.bound, 1
	}
	if st.names != nil {
		job.Settings.Resolver = st.names.conn.LocalAddr().String()
	}
	// Only who sends a ROUTER messages has an identity to choose.
	if !sends || s.Pattern != DealerRouter {
		job.Settings.Identity = ""
	}
	p, err := startProcess(st.ctx, st.program.Worker, job, st.world, which)
	if err != nil {
		return err
	}
	if sends {
		st.sender = p
	} else {
		st.receiver = p
	}
	return nil
}

// startBoth starts the bound side first.
func (st *stage) startBoth() error {
	if st.scenario.Between {
		if err := st.startBetween(); err != nil {
			return err
		}
	}
	if err := st.start(st.senderBinds()); err != nil {
		return err
	}
	return st.start(!st.senderBinds())
}

// leave notes that a process has ended.
func (st *stage) leave(p *process, killed bool, final *Final) {
	e := &ended{seat: "the receiver", log: p.job.Log, sends: p.job.Sends, killed: killed, final: final}
	if e.sends {
		e.seat = "the sender"
	}
	st.past = append(st.past, e)
	p.log.close()
	if p == st.sender {
		st.sender = nil
	} else {
		st.receiver = nil
	}
}

// kill ends a process with SIGKILL.
func (st *stage) kill(p *process) {
	p.Kill()
	st.leave(p, true, nil)
}

// finish has a process close its sockets and end.
func (st *stage) finish(p *process, linger time.Duration) {
	if peak, ok := residentPeak(p.Pid()); ok {
		largest(&st.outcome.Resident, &peak)
	}
	say, err := p.do("close", int(linger.Milliseconds()))
	if err != nil {
		st.fail("%v", err)
		st.kill(p)
		return
	}
	p.Kill() // it ends by itself; this waits for it
	st.leave(p, false, say.Final)
}

func (st *stage) freeze(p *process) error {
	p.frozen = true
	if err := stopProcess(p.Pid()); err != nil {
		return &skipError{"processes cannot be stopped: " + err.Error()}
	}
	return nil
}

func (st *stage) thaw(p *process) {
	if p.frozen {
		_ = resumeProcess(p.Pid()) // it may be gone
		p.frozen = false
	}
}

// play is the whole scenario.
func (st *stage) play() error {
	if err := st.endpoints(); err != nil {
		return err
	}
	if s := &st.scenario; s.Encrypted {
		s.Settings.Keys, s.Settings.ServerKeys = st.dir, []string{serverKey}
		if err := writeKeys(st.dir); err != nil {
			return err
		}
	}
	begin := st.startBoth
	if st.scenario.Begin != nil {
		begin = func() error { return st.scenario.Begin(st) }
	}
	moment := clock()
	if err := begin(); err != nil {
		return err
	}
	if st.scenario.Begin != nil {
		moment = clock()
	}
	if err := st.recovered(moment, st.scenario.Begin != nil); err != nil {
		return err
	}
	time.Sleep(calm)
	if st.scenario.Inject != nil {
		if err := st.scenario.Inject(st); err != nil {
			return err
		}
		if err := st.recovered(clock(), true); err != nil {
			return err
		}
		time.Sleep(calm)
	}
	return st.end()
}

// calm is how long messages go before and after a fault.
const calm = 200 * time.Millisecond

// realGuard is how long recovery may take before it counts as a hang: ten times
// the longest that was measured, behind a one-way blackhole.
const realGuard = 10 * time.Second

// recovered waits until messages are received that were made after the moment:
// of each lane, if there are several.
func (st *stage) recovered(moment int64, note bool) error {
	end := time.Now().Add(realGuard)
	for {
		st.receiver.log.look()
		if st.arrived(moment) {
			if note {
				st.outcome.Recovery[st.scenario.Fault] = append(st.outcome.Recovery[st.scenario.Fault], float64(clock()-moment)/1e6)
			}
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("no message arrived within %v after the fault", realGuard)
		}
		select {
		case <-st.ctx.Done():
			return st.ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (st *stage) arrived(moment int64) bool {
	log := &st.receiver.log
	if st.sender.job.Sockets == 1 {
		return log.latest > moment
	}
	for i := range st.sender.job.Sockets {
		if log.lanes[st.sender.job.Lane+uint32(i)] <= moment {
			return false
		}
	}
	return true
}

// end stops sending, lets everything arrive, and closes both sides.
func (st *stage) end() error {
	if _, err := st.sender.do("stop", 1000); err != nil {
		return err
	}
	if st.scenario.Library == "ringwire" {
		if _, err := st.sender.do("confirm", 0); err != nil {
			st.fail("%v", err)
		}
	}
	st.settle()
	st.finish(st.sender, 3*time.Second)
	st.settle()
	if st.between != nil {
		// As long as the receiver is there, of what went to it nothing is in doubt.
		a, err := st.between.ask(st.ctx)
		if err != nil {
			return err
		}
		st.account = a
	}
	st.finish(st.receiver, 0)
	if st.between != nil {
		return st.between.finish()
	}
	return nil
}

// settle waits until the receiver has logged nothing for a while.
func (st *stage) settle() {
	last, since := int64(-1), time.Now()
	for time.Since(since) < calm {
		st.receiver.log.look()
		if st.receiver.log.size != last {
			last, since = st.receiver.log.size, time.Now()
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// runs is how many runs of messages may be missing when a forwarder was killed, in a
// run in which nothing else goes wrong. The way that messages go keeps their order:
// it ends somewhere, and begins again somewhere. A publisher that connects sends
// again what was queued before its connection was lost, but what it publishes before
// the new forwarder has subscribed goes nowhere: that is another run.
func (st *stage) runs() int {
	if st.scenario.Pattern == PubSub {
		return 2 * st.cuts
	}
	return st.cuts
}

// judge joins what the processes have left.
func (st *stage) judge() {
	if st.ctx.Err() != nil {
		return // it was cut short
	}
	for _, p := range []*process{st.sender, st.receiver} {
		if p != nil { // after an error
			st.thaw(p)
			st.kill(p)
		}
	}
	o := st.outcome
	ours := st.scenario.Library == "ringwire"
	var from, to []Party
	for _, e := range st.past {
		records, err := ReadLog(e.log)
		if err != nil {
			st.fail("%v", err)
			continue
		}
		p := Party{Seat: e.seat, Records: records, Killed: e.killed}
		if e.final != nil {
			f := e.final
			p.Stats = f.Stats
			largest(&o.Fullest, f.Fullest)
			largest(&o.HeapPeak, f.HeapPeak)
			total(&o.Goroutines, f.Goroutines)
			total(&o.Descriptors, f.Descriptors)
			o.Broken = append(o.Broken, f.Broken...)
			if f.Over != "" {
				st.fail("%s: %s", e.seat, f.Over)
			}
		}
		if e.sends {
			from = append(from, p)
		} else {
			to = append(to, p)
		}
	}
	if ours && o.Goroutines != nil && *o.Goroutines > 0 {
		st.fail("%d goroutines are left", *o.Goroutines)
	}
	if ours && o.Descriptors != nil && *o.Descriptors > 0 {
		st.fail("%d descriptors are left", *o.Descriptors)
	}
	copies := st.scenario.Pattern == PubSub
	corrupt := st.scenario.Fault == F25 && !st.scenario.Encrypted
	unread := int64(0)
	if st.scenario.Settings.HeartbeatInterval > 0 {
		unread = int64(st.scenario.Settings.RecvHWM) // without, nothing is confirmed before the end
	}
	flows := []Flow{{Name: "messages", Copies: copies, Corrupt: corrupt, From: from, To: to, Unread: unread, Silent: !ours, Runs: st.runs()}}
	if st.scenario.Pattern.answers() {
		// Who asked and got no reply knows it: that is no silent loss.
		silent := !ours && st.scenario.Pattern != ReqRep
		flows = append(flows, Flow{Name: "answers", Answers: true, Corrupt: corrupt, From: to, To: from, Unread: unread, Silent: silent})
	}
	if st.account != nil {
		o.Broken = append(o.Broken, st.account.check()...)
		for i, relayed := range st.account.lost() {
			if i < len(flows) {
				flows[i].Relayed = relayed
			}
		}
	}
	o.judge(flows)
	for _, e := range st.past {
		if e.killed && e.sends && ours {
			o.Notes = append(o.Notes, "a sender was killed, and its counters with it: what it lost is not judged, but order, duplicates and frames are")
			break
		}
	}
}
