package chaos

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strconv"
	"time"
)

// RunSeed plays the plan of a seed and judges it.
func RunSeed(ctx context.Context, seed uint64) *Outcome {
	p := Draw(seed)
	a := newArena(p)
	name := strconv.FormatUint(seed, 10)
	o := &Outcome{
		Name: "seed " + name, Replay: "chaos --seed " + name, Plan: p.String(), Pattern: p.Pattern, Where: "memory", Library: "ringwire",
	}
	for _, f := range p.Faults {
		o.Faults = append(o.Faults, f.Fault)
	}
	if len(o.Faults) == 0 {
		o.Faults = []Fault{Calm}
	}
	// Whatever the run starts inherits the label.
	pprof.Do(ctx, pprof.Labels(label, name), a.run)
	o.Recovery = a.recovery
	full := a.inspect()
	o.Fullest = &full
	o.judge(a.flows())
	o.Broken = append(o.Broken, a.failures...)
	left, stacks := goroutinesLeft(name)
	o.Goroutines = &left
	if left > 0 {
		o.Broken = append(o.Broken, fmt.Sprintf("%d goroutines are left: %s", left, stacks))
	}
	open := int64(a.network.Connections())
	o.Descriptors = &open
	if open > 0 {
		o.Broken = append(o.Broken, fmt.Sprintf("%d connections are left", open))
	}
	return o
}

// label marks the goroutines of a seed, of which many run at once.
const label = "chaos-seed"

// goroutinesLeft counts the goroutines of a run that do not end.
func goroutinesLeft(name string) (left int64, stacks string) {
	mark := []byte(fmt.Sprintf("%q:%q", label, name))
	end := time.Now().Add(guard / 10)
	for {
		var all bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
			return 0, ""
		}
		left, stacks = 0, ""
		for _, group := range bytes.Split(all.Bytes(), []byte("\n\n")) {
			if !bytes.Contains(group, mark) {
				continue
			}
			count, _, _ := bytes.Cut(bytes.TrimSpace(group), []byte(" "))
			n, _ := strconv.ParseInt(string(count), 10, 64)
			left += n
			stacks += string(group) + "\n"
		}
		if left == 0 || time.Now().After(end) {
			return left, stacks
		}
		time.Sleep(2 * time.Millisecond)
	}
}
