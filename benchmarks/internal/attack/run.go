package attack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ringwire/ringwire/socket/plain"
)

// Pairs is how many slices without the attack and with it take turns.
const Pairs = 5

// Times around slices.
const (
	warming  = 300 * time.Millisecond
	settling = 100 * time.Millisecond // behind an attack, before what is measured without
	leaving  = 5 * time.Second        // until nothing of an attack may be left
)

// NewKeys makes the keys of a command's runs. The hashes of passwords take a while.
func NewKeys() (k Keys, err error) {
	server, good, evil := newKeyPair(), newKeyPair(), newKeyPair()
	k.Server, k.ServerSecret = server.public, server.secret
	k.Good, k.GoodSecret = good.public, good.secret
	k.Evil, k.EvilSecret = evil.public, evil.secret
	k.Password, k.EvilPass = rand.Text(), rand.Text()
	if k.PasswordHash, err = plain.Hash(k.Password); err == nil {
		k.EvilHash, err = plain.Hash(k.EvilPass)
	}
	return k, err
}

// runner is one run.
type runner struct {
	ctx                     context.Context
	cell                    Cell
	length                  time.Duration // of a slice
	victim, peers, attacker *process
	slice                   uint32
	atOnce                  bool // newcomers
	outcome                 *Outcome
	base                    *usage
	before                  reply // of the victim's first look
}

// Run plays a cell in processes of program. length is that of all slices with the
// attack together, and of all without. A quick run is not judged by how late messages
// were, nor by whether there was time for every input.
func Run(ctx context.Context, program string, keys Keys, cell Cell, length time.Duration, quick bool) *Outcome {
	r := &runner{ctx: ctx, cell: cell, length: length / Pairs, outcome: newOutcome(cell)}
	rate := r.fit(quick)
	r.outcome.Rate = cell.Attack.rate(rate)
	if err := r.play(program, keys, rate); err != nil {
		r.outcome.breaks("%v", err)
	}
	r.outcome.judge(quick)
	return r.outcome
}

// fit sees to it that all connections that are to be held are there before a slice is
// over: it makes the slices longer, or in a quick run the rate higher. It returns the
// rate.
func (r *runner) fit(quick bool) int {
	a := r.cell.Attack
	if a.Hold == 0 || a.Flood > 0 {
		return a.Rate
	}
	const part = 0.8 // of a slice
	if quick {
		return max(a.Rate, int(float64(a.Hold)/(part*r.length.Seconds())))
	}
	r.length = max(r.length, time.Duration(float64(a.Hold)/float64(a.Rate)/part*float64(time.Second)))
	return a.Rate
}

func (r *runner) play(program string, keys Keys, rate int) (err error) {
	job := Job{Attack: r.cell.Attack.Title(), Rate: rate, Target: Target{Victim: r.cell.Victim, Mechanism: r.cell.Mechanism, Network: r.cell.Network, Keys: keys}}
	for _, p := range []struct {
		role string
		at   **process
	}{{"victim", &r.victim}, {"peers", &r.peers}, {"attacker", &r.attacker}} {
		job.Role = p.role
		w, endpoint, err := start(r.ctx, program, &job, r.length+warming)
		if err != nil {
			return fmt.Errorf("start: %w", err)
		}
		defer w.Kill()
		if *p.at = w; endpoint != "" {
			job.Endpoint = endpoint
		}
	}
	if err := r.measure(); err != nil {
		return err
	}
	return r.close()
}

func (r *runner) measure() error {
	// Everything is done once before: code and pools of the processes are then warm.
	if _, _, err := r.load(warming, true); err != nil {
		return fmt.Errorf("warm-up: %w", err)
	}
	if _, err := r.attacker.call(r.ctx, request{Do: "warm"}); err != nil {
		return fmt.Errorf("warm-up: %w", err)
	}
	time.Sleep(settling)
	if n := r.cell.Attack.Files; n > 0 {
		if _, err := r.victim.call(r.ctx, request{Do: "limit", Millis: n}); err != nil {
			return err
		}
	}
	look, err := r.victim.call(r.ctx, request{Do: "look", Settle: true})
	if err != nil {
		return err
	}
	r.before, r.base = look, look.Usage
	for range Pairs {
		if err := r.pair(); err != nil {
			return err
		}
	}
	r.atOnce = true
	after, _, err := r.load(r.length, true)
	if err != nil {
		return fmt.Errorf("after the attack: %w", err)
	}
	r.outcome.NewcomerAfter = after.Newcomer.Seconds() * 1e3
	return r.leftOver()
}

// pair is a slice without the attack and one with it.
func (r *runner) pair() error {
	calm, h, err := r.load(r.length, false)
	if err != nil {
		return fmt.Errorf("without the attack: %w", err)
	}
	one := Pair{Before: latencyOf(h), Lost: calm.Sent - calm.Received}
	used, err := r.victim.call(r.ctx, request{Do: "look"})
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := r.attacker.ask(request{Do: "attack", Millis: int(r.length.Milliseconds())}); err != nil {
		return err
	}
	busy, h, err := r.load(r.length, r.cell.Attack.Shut == "")
	if err != nil {
		return fmt.Errorf("during the attack: %w", err)
	}
	one.During, one.Newcomer = latencyOf(h), busy.Newcomer.Seconds()*1e3
	one.Lost += busy.Sent - busy.Received
	one.Ratio = one.During.P99 / one.Before.P99
	attacked, err := r.attacker.await(r.ctx)
	if err != nil {
		return err
	}
	look, err := r.victim.call(r.ctx, request{Do: "look", Settle: true})
	if err != nil {
		return err
	}
	took := time.Since(begin)
	one.VictimCPU = (look.CPU - used.CPU).Seconds() / took.Seconds()
	one.weigh(r.base, look.Usage, attacked.Raid)
	released, err := r.attacker.call(r.ctx, request{Do: "release"})
	if err != nil {
		return err
	}
	r.outcome.add(one, attacked.Raid, released.Raid)
	time.Sleep(settling)
	return nil
}

// load has the legitimate peers at work, and returns how much was sent and received
// and how late it came.
func (r *runner) load(length time.Duration, newcomer bool) (reply, *hdrhistogram.Histogram, error) {
	r.slice++
	q := request{Do: "load", Slice: r.slice, Millis: int(length.Milliseconds()), Come: newcomer, AtOnce: r.atOnce}
	if err := errors.Join(r.victim.ask(q), r.peers.ask(q)); err != nil {
		return reply{}, nil, err
	}
	a, err := r.victim.await(r.ctx)
	b, err2 := r.peers.await(r.ctx)
	if err := errors.Join(err, err2); err != nil {
		return reply{}, nil, err
	}
	total := reply{Sent: a.Sent + b.Sent, Newcomer: b.Newcomer}
	receiver := r.peers
	if r.cell.Victim == "PULL" {
		receiver = r.victim
	}
	got, err := receiver.call(r.ctx, request{Do: "collect", Slice: r.slice, Count: total.Sent})
	if err != nil {
		return reply{}, nil, err
	}
	total.Received = got.Received
	if len(got.Latencies) == 0 {
		return reply{}, nil, fmt.Errorf("no message of %d came within %v", total.Sent, guard)
	}
	h, err := hdrhistogram.Decode(got.Latencies)
	return total, h, err
}

// leftOver looks what is there after the attack that was not before.
func (r *runner) leftOver() error {
	for end := time.Now().Add(leaving); ; time.Sleep(20 * time.Millisecond) {
		look, err := r.victim.call(r.ctx, request{Do: "look", Settle: true})
		if err != nil {
			return err
		}
		o := r.outcome
		o.Goroutines = look.Usage.Goroutines - r.base.Goroutines
		o.Descriptors = look.Usage.Descriptors - r.base.Descriptors
		if look.Usage.Descriptors < 0 {
			o.Descriptors = 0
		}
		o.Heap = look.Usage.Live - r.base.Live
		o.happened(r.before, look)
		if !o.remains() || time.Now().After(end) {
			return nil
		}
	}
}

// close ends the processes in order.
func (r *runner) close() error {
	look, err := r.peers.call(r.ctx, request{Do: "look"})
	if err != nil {
		return err
	}
	if n := look.Stats.Disconnects; n > 0 {
		r.outcome.breaks("legitimate peers lost their connection %d times", n)
	}
	for _, p := range []*process{r.attacker, r.peers, r.victim} {
		if _, err := p.call(r.ctx, request{Do: "close"}); err != nil {
			return fmt.Errorf("close: %w", err)
		}
		if err := p.End(); err != nil {
			r.outcome.breaks("%s: %v", p.role, p.Ended())
		}
		if said := p.Complaint(); said != "" {
			r.outcome.breaks("%s wrote on its stderr: %s", p.role, said)
		}
	}
	return nil
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	ms := func(percent float64) float64 { return float64(h.ValueAtPercentile(percent)) / 1e6 }
	return Latency{Count: h.TotalCount(), P50: ms(50), P99: ms(99), P999: ms(99.9), Max: float64(h.Max()) / 1e6}
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
