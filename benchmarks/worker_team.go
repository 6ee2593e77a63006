package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// team is the workers of one contender in one row: two processes, or with
// inproc one, which then has both sides. A device is a third.
type team struct {
	role       role // without a side
	send, recv *workerProcess
	device     *workerProcess // may be nil
	number     byte           // of the last slice
}

// opening is how long it may take until a contender is ready: a million
// subscriptions have to be made.
const opening = 90 * time.Second

// startTeam starts the workers of a contender and returns when they are ready.
// endpoint is what the binding side binds.
func startTeam(ctx context.Context, c contender, r role, endpoint string) (*team, error) {
	e := findEngine(c.engine)
	for _, side := range sidesOf(r) {
		r.Side, r.Bind = side, side == r.binder()
		if err := e.supports(r); err != nil {
			return nil, fmt.Errorf("%s %w", c.engine, err)
		}
	}
	r.Side, r.Bind = "", false
	t := &team{role: r}
	err := t.open(ctx, c, endpoint)
	if err == nil {
		err = t.ready(ctx)
	}
	if err != nil {
		t.kill()
		return nil, err
	}
	return t, nil
}

// sidesOf are the sides that need a process, the one that binds first.
func sidesOf(r role) []string {
	switch {
	case r.Transport == "inproc":
		return []string{sideBoth}
	case r.through():
		return []string{sideDevice, sideRecv, sideSend}
	}
	r.Side = sideBoth
	return r.sidesHere()
}

// open starts the processes and makes the sockets.
func (t *team) open(ctx context.Context, c contender, endpoint string) error {
	back := ""
	for _, side := range sidesOf(t.role) {
		p, err := startWorker(ctx)
		if err != nil {
			return err
		}
		switch side {
		case sideDevice:
			t.device = p
		case sideSend:
			t.send = p
		case sideRecv:
			t.recv = p
		default:
			t.send, t.recv = p, p
		}
		r := t.role
		r.Side, r.Bind, r.Endpoint = side, side == r.binder(), endpoint
		if side == sideRecv && t.device != nil {
			r.Endpoint = back
		}
		answer, err := p.call(ctx, opening, request{Do: actionOpen, Engine: c.engine, Role: &r})
		if err != nil {
			return fmt.Errorf("open the %s side: %w", side, err)
		}
		if side == sideDevice {
			endpoint, back = answer.Endpoint, answer.Backend
		} else if t.device == nil {
			endpoint = answer.Endpoint
		}
	}
	return nil
}

// processes are all of them.
func (t *team) processes() []*workerProcess {
	all := t.sides()
	if t.device != nil {
		all = append(all, t.device)
	}
	return all
}

// sides are the different processes that have sides, the receiving one first.
func (t *team) sides() []*workerProcess {
	var all []*workerProcess
	if t.recv != nil {
		all = append(all, t.recv)
	}
	if t.send != nil && t.send != t.recv {
		all = append(all, t.send)
	}
	return all
}

// other is the other process, or the same.
func (t *team) other(p *workerProcess) *workerProcess {
	if p == t.send {
		return t.recv
	}
	return t.send
}

// ready waits until both sides are: each may be waiting for the other.
func (t *team) ready(ctx context.Context) error {
	ctx, stop := t.withDevice(ctx)
	defer stop()
	for _, p := range t.sides() {
		if err := p.ask(request{Do: actionReady}); err != nil {
			return err
		}
	}
	for _, p := range t.sides() {
		if _, err := p.await(ctx, opening, t.other(p)); err != nil {
			return fmt.Errorf("get ready: %w", err)
		}
	}
	return nil
}

// withDevice is a context that ends with the device, without which neither side may
// ever be done.
func (t *team) withDevice(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if t.device != nil {
		go func() {
			select {
			case <-t.device.Done:
				cancel(fmt.Errorf("device: %w", t.device.Ended()))
			case <-ctx.Done():
			}
		}()
	}
	return ctx, func() { cancel(nil) }
}

// sliceGuard is how long a slice may take. What was sent must also be received,
// which takes longer where the sender is the faster one.
func sliceGuard(d time.Duration) time.Duration { return 30*time.Second + 20*d }

// slice runs one slice. It returns the result of the side that measures, and what
// all processes used. Nothing runs here while the sender sends.
func (t *team) slice(ctx context.Context, duration time.Duration, rate float64) (sliceResult, usage, error) {
	if t.device == nil {
		return t.sliceOfSides(ctx, duration, rate)
	}
	ctx, stop := t.withDevice(ctx)
	defer stop()
	if _, err := t.device.call(ctx, opening, request{Do: actionWatch}); err != nil {
		return sliceResult{}, usage{}, fmt.Errorf("device: %w", err)
	}
	got, used, err := t.sliceOfSides(ctx, duration, rate)
	if err != nil {
		return got, used, err
	}
	spent, err := t.device.call(ctx, opening, request{Do: actionSpent})
	if err != nil {
		return got, used, fmt.Errorf("device: %w", err)
	}
	return got, used.and(*spent.Usage), nil
}

// sliceOfSides is what the two sides do.
func (t *team) sliceOfSides(ctx context.Context, duration time.Duration, rate float64) (sliceResult, usage, error) {
	t.number++
	guard := sliceGuard(duration)
	work := request{Do: actionSlice, Slice: &sliceSpec{Number: t.number, Duration: duration, Rate: rate}}
	for _, p := range t.sides() {
		if err := p.ask(work); err != nil {
			return sliceResult{}, usage{}, err
		}
	}
	if t.send == t.recv {
		both, err := t.send.await(ctx, guard, nil)
		return measured(both, both, err)
	}
	sent, err := t.send.await(ctx, guard, t.recv)
	if err != nil {
		return sliceResult{}, usage{}, fmt.Errorf("sending side: %w", err)
	}
	got, err := t.awaitReceiver(ctx, guard)
	if err != nil {
		return sliceResult{}, usage{}, fmt.Errorf("receiving side: %w", err)
	}
	if err := t.role.account(*sent.Result, *got.Result); err != nil {
		return sliceResult{}, usage{}, err
	}
	if t.role.measuredBy() == sideSend {
		return measured(sent, got, nil)
	}
	return measured(got, sent, nil)
}

// measured is the result of the side that measures, and what both used.
func measured(measuring, other reply, err error) (sliceResult, usage, error) {
	if err == nil && (measuring.Result == nil || measuring.Usage == nil || other.Usage == nil) {
		err = errors.New("the answer to a slice has no result")
	}
	if err != nil {
		return sliceResult{}, usage{}, err
	}
	if measuring.Usage == other.Usage {
		return *measuring.Result, *measuring.Usage, nil
	}
	return *measuring.Result, measuring.Usage.and(*other.Usage), nil
}

// awaitReceiver is await on the receiving side. A subscriber may have missed the
// end mark: the sender repeats it until there is an answer.
func (t *team) awaitReceiver(ctx context.Context, guard time.Duration) (reply, error) {
	if !t.role.publishes() {
		return t.recv.await(ctx, guard, t.send)
	}
	for end := time.Now().Add(guard); ; {
		got, err := t.recv.await(ctx, endMarkInterval, t.send)
		if !errors.Is(err, errNoAnswer) || time.Now().After(end) {
			return got, err
		}
		if _, err := t.send.call(ctx, guard, request{Do: actionMark, Number: t.number}); err != nil {
			return reply{}, fmt.Errorf("repeat the end mark: %w", err)
		}
	}
}

// usage is what each process has used so far.
func (t *team) usage(ctx context.Context) (send, recv usage, err error) {
	for _, side := range []struct {
		process *workerProcess
		used    *usage
	}{{t.send, &send}, {t.recv, &recv}} {
		answer, err := side.process.call(ctx, opening, request{Do: actionUsage})
		if err != nil {
			return send, recv, err
		}
		*side.used = *answer.Usage
	}
	return send, recv, nil
}

// tidy has both sides give back memory that they do not use.
func (t *team) tidy(ctx context.Context) error {
	for _, p := range t.processes() {
		if _, err := p.call(ctx, opening, request{Do: actionTidy}); err != nil {
			return err
		}
	}
	return nil
}

// close ends the workers in order.
func (t *team) close() {
	for _, p := range t.processes() {
		p.close()
	}
}

// kill ends the workers at once.
func (t *team) kill() {
	for _, p := range t.processes() {
		p.Kill()
	}
}
