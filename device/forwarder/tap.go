package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func (p *program) tapCommand() *cli.Command {
	return &cli.Command{
		Name:      "tap",
		Usage:     "print what passes: at a publisher, or between any two sockets",
		ArgsUsage: "[endpoint]",
		Description: "With an endpoint it is one more subscriber there, by default of a forwarder's backend,\n" +
			defaultBackend + ". With --frontend and --backend it stands in between: what comes in at one\n" +
			"side is printed and goes out at the other, in both directions.\n\n" +
			"A line has the time, > (from the frontend to the backend) or <, the number of bytes, and the\n" +
			"frames. With --rate, there is one line per interval with what passed in it.\n\n" +
			"  forwarder tap\n" +
			"  forwarder tap --kind queue --frontend tcp://127.0.0.1:6000 --backend connect:tcp://127.0.0.1:5555",
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		OnUsageError:              onUsageError,
		Flags:                     tapFlags(),
		Action:                    untilStopped(p.tap),
	}
}

func tapFlags() []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "kind", Value: "forwarder", Usage: "what to be in between: forwarder, queue or streamer"},
		&cli.StringSliceFlag{Name: "frontend", Usage: "`endpoint` for publishers, clients or producers; connect: in front connects"},
		&cli.StringSliceFlag{Name: "backend", Usage: "`endpoint` for subscribers, workers or consumers, likewise"},
		&cli.BoolFlag{Name: "insecure", Usage: insecureUsage},
		&cli.StringSliceFlag{Name: "subscribe", Usage: "`prefix` to subscribe to; repeatable; without it, everything (only with an endpoint)"},
		&cli.StringFlag{Name: "format", Value: "quoted", Usage: "`format` of messages: " + formatNames()},
		&cli.IntFlag{Name: "count", Aliases: []string{"n"}, Usage: "`number` of messages after which to end; 0 is never"},
		&cli.DurationFlag{Name: "rate", Usage: "print how much passes in each `interval` instead of messages"},
	}
	flags = append(flags, clientFlags()...)
	for _, s := range newConfig().settings() {
		if slices.Contains(tapKeys, s.name) {
			flags = append(flags, &cli.StringFlag{Name: s.name, Usage: s.usage})
		}
	}
	return flags
}

// tapKeys are the settings of keys that tap has when it stands in between. It has
// curve-key in any case.
var tapKeys = []string{"frontend-curve-allow", "frontend-curve-server-key", "backend-curve-allow", "backend-curve-server-key"}

func (p *program) tap(ctx context.Context, c *cli.Command) error {
	f, err := findFormat(c.String("format"))
	if err != nil {
		return err
	}
	if c.Int("count") < 0 || c.Duration("rate") < 0 {
		return usagef("--count and --rate want 0 or more")
	}
	t := &tap{format: f, left: c.Int("count"), out: bufio.NewWriter(p.stdout), quiet: c.Duration("rate") > 0}
	ctx, t.enough = context.WithCancel(ctx)
	defer t.enough()
	t.stderr = p.stderr
	watch := t.between
	if len(c.StringSlice("frontend"))+len(c.StringSlice("backend")) == 0 {
		watch = t.subscribe
	}
	var ticking sync.WaitGroup
	if t.quiet {
		ticking.Go(func() { t.tick(ctx, c.Duration("rate")) })
	}
	err = watch(ctx, c)
	if ctx.Err() != nil {
		err = nil // told to end, or enough
	}
	t.enough()
	ticking.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(err, t.failed, t.out.Flush())
}

// tap prints messages of both directions.
type tap struct {
	format *format            // immutable
	quiet  bool               // immutable: count only
	enough context.CancelFunc // immutable
	stderr io.Writer          // immutable; where it says why nothing comes

	mu     sync.Mutex
	out    *bufio.Writer // guarded by mu
	failed error         // of out; guarded by mu
	left   int           // messages until the end, 0: no end; guarded by mu
	passed [2]amount     // since the last tick; guarded by mu
}

type amount struct{ messages, bytes int64 }

var arrows = [2]string{">", "<"}

// subscribe is one more subscriber.
func (t *tap) subscribe(ctx context.Context, c *cli.Command) error {
	at, err := oneEndpoint(c, defaultBackend)
	if err != nil {
		return err
	}
	for _, name := range tapKeys {
		if c.IsSet(name) {
			return usagef("--%s is for --frontend and --backend, want --curve-server-key for an endpoint", name)
		}
	}
	opts := new(socket.Options)
	if err := curveFlags(c, opts); err != nil {
		return err
	}
	s, err := socket.New(pattern.Sub, opts)
	if err != nil {
		return err
	}
	defer s.Close()
	why := newTrouble(s)
	defer why.close()
	why.warn(t.stderr)
	if err := open(s, true, c.StringSlice("subscribe"), []endpoint{{address: at, connects: true}}); err != nil {
		return err
	}
	return t.pump(ctx, s, nil, 0)
}

// between passes on what it prints.
func (t *tap) between(ctx context.Context, c *cli.Command) error {
	if c.Args().Present() || c.IsSet("subscribe") {
		return usagef("tap is one more subscriber, of an endpoint, or stands between --frontend and --backend, not both")
	}
	if c.IsSet("curve-server-key") {
		return usagef("--curve-server-key is for an endpoint, want --frontend-curve-server-key or --backend-curve-server-key in between")
	}
	conf := newConfig()
	given := map[string][]string{"kind": {c.String("kind")}, "frontend": c.StringSlice("frontend"), "backend": c.StringSlice("backend")}
	for _, name := range append([]string{"curve-key"}, tapKeys...) {
		if c.IsSet(name) {
			given[name] = []string{c.String(name)}
		}
	}
	for _, s := range conf.settings() {
		if texts, ok := given[s.name]; ok {
			if err := s.value.parse(texts); err != nil {
				return usagef("--%s %w", s.name, err)
			}
		}
	}
	conf.Insecure.value = c.Bool("insecure")
	conf.Admin.value = ""
	if err := conf.check(); err != nil {
		return err
	}
	ring, err := conf.readKeys(nil)
	if err != nil {
		return err
	}
	d, err := conf.device(ring, nil) // for its sockets: it never runs
	if err != nil {
		return &usageError{err}
	}
	defer d.Close()
	for _, side := range []struct {
		s    *socket.Socket
		list []endpoint
	}{{d.Front(), conf.Frontend.list}, {d.Back(), conf.Backend.list}} {
		why := newTrouble(side.s)
		defer why.close()
		why.warn(t.stderr)
		if err := open(side.s, false, nil, side.list); err != nil {
			return err
		}
	}
	var both sync.WaitGroup
	errs := make([]error, 2)
	for i, pair := range [2][2]*socket.Socket{{d.Front(), d.Back()}, {d.Back(), d.Front()}} {
		both.Go(func() {
			errs[i] = t.pump(ctx, pair[0], pair[1], i)
			if !errors.Is(errs[i], errors.ErrUnsupported) {
				t.enough() // one direction has ended: so does the other
			}
		})
	}
	both.Wait()
	for i, err := range errs {
		if errors.Is(err, errors.ErrUnsupported) { // a streamer has one direction
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}

// pump prints what from receives and sends it to to, if that is not nil.
func (t *tap) pump(ctx context.Context, from, to *socket.Socket, direction int) error {
	for {
		m, err := from.TryRecv()
		if errors.Is(err, ringwire.ErrAgain) {
			if err := t.flush(); err != nil {
				return err
			}
			m, err = from.Recv(ctx)
		}
		if err != nil {
			return err
		}
		more, err := t.see(m, direction)
		if err != nil {
			return err
		}
		if to == nil {
			m.Release()
		} else if err := to.SendMessage(ctx, m); err != nil {
			m.Release()
			if ctx.Err() != nil || errors.Is(err, ringwire.ErrClosed) {
				return err
			} // else this message cannot be sent: its peer is gone
		}
		if !more {
			t.enough()
			return nil
		}
	}
}

func (t *tap) flush() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.Flush()
}

// see prints or counts a message; more is false if it was the last.
func (t *tap) see(m *ringwire.Message, direction int) (more bool, err error) {
	frames := framesOf(m)
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.passed[direction].messages++
	t.passed[direction].bytes += int64(size)
	if !t.quiet {
		line := fmt.Appendf(nil, "%s %s %d ", clock(time.Now(), "15:04:05.000000"), arrows[direction], size)
		if _, err := t.out.Write(append(t.format.show(line, frames), '\n')); err != nil {
			return false, err
		}
	}
	if t.left > 0 {
		t.left--
		return t.left > 0, nil
	}
	return true, nil
}

// tick prints what passed, until ctx ends.
func (t *tap) tick(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
		t.mu.Lock()
		seconds := time.Since(last).Seconds()
		last = time.Now()
		var words []string
		for i, p := range t.passed {
			words = append(words, fmt.Sprintf("%s %.0f messages/s, %.0f B/s", arrows[i], float64(p.messages)/seconds, float64(p.bytes)/seconds))
		}
		t.passed = [2]amount{}
		fmt.Fprintf(t.out, "%s %s\n", clock(last, "15:04:05"), strings.Join(words, "; "))
		if err := t.out.Flush(); err != nil && t.failed == nil {
			t.failed = err
			t.enough()
		}
		t.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
	}
}
