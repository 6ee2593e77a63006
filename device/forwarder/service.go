package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/socket"
)

// service is the program while it forwards.
type service struct {
	// Immutable after start.
	source  *source
	stdout  io.Writer
	log     *slog.Logger
	level   *slog.LevelVar
	device  *device.Device
	watcher *watcher
	drains  chan struct{} // capacity 1: the admin was told to drain
	ended   chan error    // capacity 1: what Run of the device returned

	// Owned by the goroutine of run.
	config *config
	keys   keyring // of the sockets, which keep them
	sides  [2]*side
	admin  *admin // nil: off

	// Atomic: written by run, read by the admin.
	draining atomic.Bool
}

// serve forwards until a signal, the admin or an error ends it.
func (p *program) serve(ctx context.Context, src *source) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	conf, err := src.load()
	if err != nil {
		return err
	}
	s := &service{
		source: src, config: conf, stdout: p.stdout, level: new(slog.LevelVar),
		drains: make(chan struct{}, 1), ended: make(chan error, 1),
	}
	s.level.Set(silence)
	s.log = newLogger(p.stderr, conf.LogFormat.value, s.level)
	return s.run(ctx, signals)
}

// silence is above all levels: until everything is open there is nothing to log,
// and an error is one line on stderr.
const silence = slog.LevelError + 1

func newLogger(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// run starts everything, works until it is told to end, and leaves nothing
// behind.
func (s *service) run(ctx context.Context, signals <-chan os.Signal) (err error) {
	if s.keys, err = s.config.readKeys(s.log); err != nil {
		return err
	}
	if s.device, err = s.config.device(s.keys, s.log); err != nil {
		return &usageError{err}
	}
	var running sync.WaitGroup
	life, end := context.WithCancel(context.Background())
	defer func() {
		end()
		s.device.Close()
		running.Wait()
		if s.admin != nil {
			s.admin.close()
		}
	}()
	if err := s.open(); err != nil {
		return err
	}
	s.watcher = newWatcher(s.device, s.sides, &s.draining)
	s.watcher.place(s.sides)
	if s.admin, err = s.startAdmin(s.config); err != nil {
		return err
	}
	running.Go(func() { s.ended <- s.device.Run(context.Background()) })
	running.Go(func() { s.watcher.run(life) })
	s.level.Set(levels[s.config.LogLevel.value])
	fmt.Fprintln(s.stdout, s.greeting())
	for _, name := range s.source.unknown() {
		s.log.Warn("an environment variable is none of the settings that --help names", "variable", name)
	}
	s.log.Info("forwarding", "kind", s.config.Kind.value, "frontend", s.config.Frontend.String(), "backend", s.config.Backend.String())
	s.notify(notifyReady)

	watchdog := newWatchdog(s.log)
	defer watchdog.stop()
	for {
		select {
		case err := <-s.ended:
			if err == nil {
				err = ringwire.ErrClosed // nobody but finish ends it
			}
			return fmt.Errorf("the device ended: %w", err)
		case sig := <-signals:
			if sig == syscall.SIGHUP {
				s.reload()
				continue
			}
			return s.finish(sig.String(), signals)
		case <-s.drains:
			return s.finish("drain was asked for", signals)
		case <-ctx.Done():
			return s.finish(ctx.Err().Error(), signals)
		case <-watchdog.C:
			if s.watcher.alive() {
				s.notify(notifyWatchdog)
			}
		}
	}
}

// open binds and connects everything.
func (s *service) open() error {
	sockets := [2]*socket.Socket{s.device.Front(), s.device.Back()}
	for i, list := range [2][]endpoint{s.config.Frontend.list, s.config.Backend.list} {
		files, _ := s.config.curve(i)
		s.sides[i] = &side{
			name: sideNames[i], role: roles[s.config.Kind.value][i], socket: sockets[i],
			secure: files.encrypts(), bound: make(map[endpoint]string),
		}
		for _, e := range list {
			if err := s.sides[i].add(e, s.config.Insecure.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// greeting says on one line where to connect.
func (s *service) greeting() string {
	var words []string
	lists := [2][]endpoint{s.config.Frontend.list, s.config.Backend.list}
	for i, side := range s.sides {
		var bound, connected []string
		for _, e := range lists[i] {
			if e.connects {
				connected = append(connected, side.bound[e])
			} else {
				bound = append(bound, reachable(side.bound[e]))
			}
		}
		if len(bound) > 0 {
			words = append(words, side.role+" connect to "+strings.Join(bound, " or "))
		}
		if len(connected) > 0 {
			words = append(words, "it connects to "+side.role+" at "+strings.Join(connected, " and "))
		}
	}
	if s.admin != nil {
		words = append(words, "watch "+reachable(s.admin.url()))
	}
	return "forwarder: " + strings.Join(words, ", ")
}

var errSecondSignal = errors.New("a second signal: ended at once")

// finish drains, for at most the drain timeout or until another signal, and
// closes the sockets. Its error says what was not delivered.
func (s *service) finish(why string, signals <-chan os.Signal) error {
	limit := s.config.DrainTimeout.value
	s.log.Info("draining", "reason", why, "drain_timeout", limit)
	s.draining.Store(true)
	s.notify(notifyStopping)
	ctx, cancel := context.WithTimeoutCause(context.Background(), limit, fmt.Errorf("not drained within %v", limit))
	defer cancel()
	cancelled, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	drained := make(chan error, 1)
	go func() { drained <- s.drain(cancelled) }()
	for {
		select {
		case err := <-drained:
			if err != nil {
				return err
			}
			s.log.Info("drained")
			return nil
		case sig := <-signals:
			if sig != syscall.SIGHUP {
				stop(errSecondSignal)
				signals = nil
			}
		}
	}
}

// drain ends the device, then its sockets, both within ctx.
func (s *service) drain(ctx context.Context) error {
	errs := []error{s.device.Drain(ctx), nil, nil}
	var both sync.WaitGroup
	for i, side := range s.sides {
		both.Go(func() { errs[i+1] = side.socket.Shutdown(ctx) })
	}
	both.Wait()
	var lost ringwire.UnsentError
	for _, err := range errs {
		if u, ok := errors.AsType[*ringwire.UnsentError](err); ok {
			lost.Messages += u.Messages
			lost.Bytes += u.Bytes
		}
	}
	switch {
	case ctx.Err() == nil:
		return errors.Join(errs...)
	case lost.Messages > 0:
		return fmt.Errorf("%w, lost: %w", context.Cause(ctx), &lost)
	case errs[0] == nil: // the deadline came after the end
		return nil
	}
	return context.Cause(ctx)
}

// pause, resume: the admin's calls.
func (s *service) pause() {
	s.device.Pause()
	s.log.Info("paused")
}

func (s *service) resume() {
	s.device.Resume()
	s.log.Info("resumed")
}

// askToDrain has run drain, soon.
func (s *service) askToDrain() {
	select {
	case s.drains <- struct{}{}:
	default: // it was asked before
	}
}

// adminPatience is how long requests in progress may take when the admin ends.
const adminPatience = time.Second
