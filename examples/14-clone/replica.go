package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// replica has a copy of a subtree. It is safe for any number of goroutines.
type replica struct {
	config  Config
	at      Endpoints
	subtree string
	updates *socket.Socket // SUB
	sets    *socket.Socket // PUB
	cancel  context.CancelFunc
	wg      sync.WaitGroup

	mu       sync.Mutex // guards the rest
	values   map[string]string
	sequence uint64
	synced   bool                     // there was a snapshot
	changed  chan struct{}            // closed when values change
	own      map[string]chan struct{} // by id: closed when that update has come
}

// newReplica returns a replica of a subtree, or of everything if that is empty. It does
// not wait for the server.
func newReplica(at Endpoints, subtree string, config Config) (*replica, error) {
	r := &replica{
		config: config, at: at, subtree: subtree,
		values: make(map[string]string), changed: make(chan struct{}), own: make(map[string]chan struct{}),
	}
	var err error
	if r.updates, err = socket.New(pattern.Sub, &config.Socket); err != nil {
		return nil, err
	}
	options := config.Socket
	options.OnFull = socket.FullBlock // what is set is not dropped
	if r.sets, err = socket.New(pattern.Pub, &options); err == nil {
		err = errors.Join(
			r.updates.Subscribe(subtree), r.updates.Subscribe(hugz),
			r.updates.Connect(at.Updates), r.sets.Connect(at.Collector))
	}
	if err != nil {
		r.updates.Close()
		if r.sets != nil {
			r.sets.Close()
		}
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.wg.Go(func() { r.run(ctx) })
	return r, nil
}

func (r *replica) Close() error {
	r.cancel()
	r.wg.Wait()
	return errors.Join(r.updates.Close(), r.sets.Close())
}

// run applies updates. While it waits for a snapshot it takes none: they wait in the
// socket, and those that the snapshot has already are told by their number.
func (r *replica) run(ctx context.Context) {
	for m, err := range r.updates.Messages(ctx) {
		if err != nil {
			return
		}
		u, err := parse(frames(m))
		if err != nil {
			continue // not from such a server
		}
		if u.key != hugz {
			r.apply(u)
		} else if topic, found := u.property("subscribed"); found && topic == r.subtree {
			for ctx.Err() == nil && r.synchronize(ctx) != nil {
			}
		}
	}
}

// synchronize replaces all values by a snapshot. Each has a socket of its own, so that
// nothing of an earlier one, which came too late, gets into it.
func (r *replica) synchronize(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	s, err := socket.New(pattern.Dealer, &r.config.Socket)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Connect(r.at.Snapshots); err != nil {
		return err
	}
	if err := s.Send(ctx, []byte(icanhaz), []byte(r.subtree)); err != nil {
		return err
	}
	values := make(map[string]string)
	for {
		m, err := s.Recv(ctx)
		if err != nil {
			return err
		}
		u, err := parse(frames(m))
		if err != nil {
			return err
		}
		if u.key != kthxbai {
			values[u.key] = u.value
			continue
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.values, r.sequence, r.synced = values, u.sequence, true
		r.change()
		return nil
	}
}

func (r *replica) apply(u update) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if arrived := r.own[u.id]; arrived != nil {
		delete(r.own, u.id)
		defer close(arrived)
	}
	if !r.synced || u.sequence <= r.sequence {
		return // the snapshot has it, or will have it
	}
	r.sequence = u.sequence
	if u.value == "" {
		delete(r.values, u.key)
	} else {
		r.values[u.key] = u.value
	}
	r.change()
}

// change is called with mu held.
func (r *replica) change() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// set sets a value, for a number of seconds or, if that is 0, for ever; an empty value
// deletes the key. It returns when the update has come back, and is part of the order
// of all. It may have been made more than once, if the server died meanwhile.
func (r *replica) set(ctx context.Context, key, value string, ttl int) error {
	if !strings.HasPrefix(key, "/") || !strings.HasPrefix(key, r.subtree) {
		return fmt.Errorf("key %q: want one that begins with / and %s", key, r.subtree)
	}
	// Before the subscription is in force the update would not come back.
	if err := r.wait(ctx, func(map[string]string) bool { return true }); err != nil {
		return fmt.Errorf("set %s: %w", key, err)
	}
	id := make([]byte, 16)
	rand.Read(id) // never fails
	u := update{key: key, id: string(id), value: value}
	if ttl > 0 {
		u.properties = fmt.Sprintf("ttl=%d\n", ttl)
	}
	arrived := make(chan struct{})
	r.mu.Lock()
	r.own[u.id] = arrived
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.own, u.id)
	}()
	for {
		if err := r.sets.WaitSubscribers(ctx, key, 1); err != nil {
			return fmt.Errorf("set %s: %w", key, err)
		}
		if err := r.sets.Send(ctx, u.frames()...); err != nil {
			return fmt.Errorf("set %s: %w", key, err)
		}
		select {
		case <-arrived:
			return nil
		case <-time.After(r.config.Timeout): // it was lost, or its echo was
		case <-ctx.Done():
			return fmt.Errorf("set %s: %w", key, ctx.Err())
		}
	}
}

// wait waits until the values, once there was a snapshot, are as they should be. What
// enough is given it must not keep.
func (r *replica) wait(ctx context.Context, enough func(values map[string]string) bool) error {
	for {
		r.mu.Lock()
		values, synced, changed := maps.Clone(r.values), r.synced, r.changed
		r.mu.Unlock()
		if synced && enough(values) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("values are %s: %w", show(values), ctx.Err())
		}
	}
}
