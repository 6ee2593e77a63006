package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// server is what the goroutine of runServer owns.
type server struct {
	config    Config
	snapshots *socket.Socket // ROUTER
	updates   *socket.Socket // XPUB
	log       *device.Recorder
	values    map[string]entry
	sequence  uint64
	quiet     bool // nothing was published since the last tick
}

type entry struct {
	value   string
	expires time.Time // zero: never
}

// runServer serves replicas until ctx ends. The updates are kept in a directory, as a
// recording: the table is what comes out when they are applied one after the other. It
// is never made smaller.
func runServer(ctx context.Context, at Endpoints, dir string, config Config) error {
	s := &server{config: config, values: make(map[string]entry)}
	if err := s.open(dir); err != nil {
		return err
	}
	defer s.log.Close()

	var err error
	if s.snapshots, err = bind(pattern.Router, at.Snapshots, config.Socket); err != nil {
		return err
	}
	defer s.snapshots.Close()
	options := config.Socket
	options.XPubVerbose = true             // each subscription is told, and answered
	options.OnFull = socket.FullDisconnect // and none misses anything silently
	if s.updates, err = bind(pattern.XPub, at.Updates, options); err != nil {
		return err
	}
	defer s.updates.Close()
	collector, err := bind(pattern.Sub, at.Collector, config.Socket)
	if err != nil {
		return err
	}
	defer collector.Close()
	if err := collector.Subscribe("/"); err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	requests, subscriptions, sets := inbox(ctx, &wg, s.snapshots), inbox(ctx, &wg, s.updates), inbox(ctx, &wg, collector)
	tick := time.NewTicker(config.Heartbeat)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case m := <-sets:
			err = s.take(m)
		case m := <-subscriptions:
			err = s.confirm(ctx, m)
		case <-tick.C:
			err = s.tick(time.Now())
		case m := <-requests:
			if m.Len() == 3 && string(m.Frame(1)) == icanhaz {
				// A replica that takes its time holds up nobody.
				values, sequence := maps.Clone(s.values), s.sequence
				wg.Go(func() { s.snapshot(ctx, m.Frame(0), string(m.Frame(2)), values, sequence) })
			}
		}
		if err != nil {
			return fmt.Errorf("server: %w", err)
		}
	}
}

// open reads the updates that were made so far, and opens their log for more. What was
// cut off in the middle of a write was never published.
func (s *server) open(dir string) (err error) {
	// Each update is on disk before it is published.
	if s.log, err = device.NewRecorder(dir, &device.RecordOptions{Sync: -1}); err != nil {
		return err
	}
	for e, err := range device.Entries(dir) {
		if err == nil {
			var u update
			if u, err = parse(e.Frames); err == nil {
				s.sequence = u.sequence
				s.apply(u, e.Time)
			}
		}
		if err != nil {
			return errors.Join(err, s.log.Close())
		}
	}
	return nil
}

func (s *server) apply(u update, at time.Time) {
	if u.value == "" {
		delete(s.values, u.key)
		return
	}
	e := entry{value: u.value}
	if ttl := u.ttl(); ttl > 0 {
		e.expires = at.Add(ttl)
	}
	s.values[u.key] = e
}

// take makes a KVSET an update. What is malformed is dropped.
func (s *server) take(m *ringwire.Message) error {
	u, err := parse(frames(m))
	if err != nil {
		return nil
	}
	return s.publish(u)
}

// publish numbers an update, keeps it, applies it and tells it to everybody.
func (s *server) publish(u update) error {
	now := time.Now()
	s.sequence++
	u.sequence = s.sequence
	if _, err := s.log.Write(now, "", ringwire.NewMessage(u.frames()...)); err != nil {
		return err
	}
	s.apply(u, now)
	s.quiet = false
	return s.updates.TrySend(u.frames()...) // never ErrAgain: see OnFull
}

// confirm tells a subscriber that its subscription is in force.
func (s *server) confirm(ctx context.Context, m *ringwire.Message) error {
	topic, found := strings.CutPrefix(string(m.Bytes()), "\x01")
	if !found {
		return nil // an end of a subscription
	}
	u := update{key: hugz, properties: "subscribed=" + topic + "\n"}
	err := s.updates.SendTo(ctx, m.Peer(), ringwire.NewMessage(u.frames()...))
	if errors.Is(err, ringwire.ErrHostUnreachable) {
		return nil
	}
	return err
}

// tick deletes what is too old, and gives a sign of life if nothing else has.
func (s *server) tick(now time.Time) error {
	for key, e := range s.values {
		if !e.expires.IsZero() && now.After(e.expires) {
			if err := s.publish(update{key: key}); err != nil {
				return err
			}
		}
	}
	if s.quiet {
		return s.updates.TrySend(update{key: hugz}.frames()...)
	}
	s.quiet = true
	return nil
}

// snapshot sends what there was of a subtree. The sequence is that of the table, which
// may be above those of its keys: the last update may have deleted one.
func (s *server) snapshot(ctx context.Context, client []byte, subtree string, values map[string]entry, sequence uint64) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	send := func(u update) error { // an error: the replica is gone or does not read
		return s.snapshots.Send(ctx, append([][]byte{client}, u.frames()...)...)
	}
	for key, e := range values {
		if strings.HasPrefix(key, subtree) && send(update{key: key, sequence: sequence, value: e.value}) != nil {
			return
		}
	}
	send(update{key: kthxbai, sequence: sequence, value: subtree})
}

func bind(spec *pattern.Spec, endpoint string, options socket.Options) (*socket.Socket, error) {
	s, err := socket.New(spec, &options)
	if err != nil {
		return nil, err
	}
	if _, err := s.Bind(endpoint); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// inbox hands on what s receives, so that a select can wait for it next to timers.
func inbox(ctx context.Context, wg *sync.WaitGroup, s *socket.Socket) <-chan *ringwire.Message {
	messages := make(chan *ringwire.Message)
	wg.Go(func() {
		for m, err := range s.Messages(ctx) {
			if err != nil {
				return
			}
			select {
			case messages <- m:
			case <-ctx.Done():
				return
			}
		}
	})
	return messages
}
