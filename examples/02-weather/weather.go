package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// places are what there are readings of.
var places = [...]string{"bergen", "berlin", "bern", "oslo", "rome"}

// listen makes a publisher that subscribers connect to.
func listen(endpoint string) (pub *socket.Socket, at string, err error) {
	if pub, err = socket.New(pattern.Pub, nil); err != nil {
		return nil, "", err
	}
	if at, err = pub.Bind(endpoint); err != nil {
		return nil, "", errors.Join(err, pub.Close())
	}
	return pub, at, nil
}

// subscribe makes a subscriber of one topic.
func subscribe(endpoint, topic string) (*socket.Socket, error) {
	sub, err := socket.New(pattern.Sub, nil)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(sub.Subscribe(topic), sub.Connect(endpoint)); err != nil {
		return nil, errors.Join(err, sub.Close())
	}
	return sub, nil
}

// publish sends that many rounds of readings, one of each place, or goes on until
// ctx is done if rounds is 0.
func publish(ctx context.Context, pub *socket.Socket, rounds int, every time.Duration) error {
	random := rand.New(rand.NewPCG(1, 1))
	for round := 0; rounds == 0 || round < rounds; round++ {
		for i, place := range places {
			degrees := 5*i + random.IntN(10)
			if err := pub.Send(ctx, []byte("weather."+place), strconv.AppendInt(nil, int64(degrees), 10)); err != nil {
				return err
			}
		}
		if every > 0 {
			select {
			case <-time.After(every):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

type reading struct {
	place   string
	degrees int
}

var errNoReading = errors.New("not a reading")

// parse makes a reading of a message, which may come from any program.
func parse(m *ringwire.Message) (r reading, err error) {
	if m.Len() != 2 {
		return r, fmt.Errorf("%w: %d frames, want topic and degrees", errNoReading, m.Len())
	}
	place, ok := strings.CutPrefix(string(m.Frame(0)), "weather.")
	degrees, err := strconv.Atoi(string(m.Frame(1)))
	if !ok || err != nil {
		return r, fmt.Errorf("%w: %v", errNoReading, m)
	}
	return reading{place, degrees}, nil
}

// summary is what a subscriber has seen.
type summary struct {
	readings        int
	places          []string
	lowest, highest int
}

func (s summary) String() string {
	return fmt.Sprintf("%d readings of %s, from %d to %d degrees", s.readings, strings.Join(s.places, ", "), s.lowest, s.highest)
}

// collect sums up the next n readings.
func collect(ctx context.Context, sub *socket.Socket, n int) (s summary, err error) {
	var m ringwire.Message
	defer m.Release()
	for s.readings < n {
		if err := sub.RecvInto(ctx, &m); err != nil {
			return s, fmt.Errorf("after %d readings of %d: %w", s.readings, n, err)
		}
		r, err := parse(&m)
		if err != nil {
			return s, err
		}
		if s.readings == 0 {
			s.lowest, s.highest = r.degrees, r.degrees
		}
		s.readings++
		s.lowest, s.highest = min(s.lowest, r.degrees), max(s.highest, r.degrees)
		if !slices.Contains(s.places, r.place) {
			s.places = append(s.places, r.place)
		}
	}
	return s, nil
}
