// Weather publishes readings of many places to whoever wants some of them: topics.
//
//	go run ./examples/02-weather
//
// The problem: one source, any number of readers, each of which wants a part of it,
// and the source shall not wait for any of them. The publisher has a PUB socket,
// each reader a SUB socket that subscribes to what it wants.
//
// A reading is two frames:
//
//	0   the topic, "weather." and the place
//	1   degrees, in decimal
//
// A subscription is a prefix of the first frame, compared byte by byte. Notice in
// the output that "weather.ber" gets three places: who wants Bern alone subscribes
// to a topic that ends with something, such as "weather.bern.". Notice, too, that
// what nobody has subscribed to is never sent; filtering is done by the publisher.
//
// A subscriber that comes late misses what was published before. So the publisher
// waits with WaitSubscribers until those that it counts on are there, which a sleep
// could only hope for. The other way round, a subscriber that does not keep up
// misses readings; examples/24-slow shows what the publisher sees of that.
//
// In several terminals, as many subscribers as you like:
//
//	go run ./examples/02-weather -role publisher
//	go run ./examples/02-weather -role subscriber -topic weather.ber
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	role := flag.String("role", "", "run only this `role`: publisher or subscriber")
	bind := flag.String("bind", "tcp://127.0.0.1:5556", "`endpoint` of the publisher")
	connect := flag.String("connect", "tcp://127.0.0.1:5556", "`endpoint` that a subscriber connects to")
	topic := flag.String("topic", "weather.", "what a subscriber wants")
	every := flag.Duration("every", 200*time.Millisecond, "time between two rounds of readings")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "weather: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "":
		err = demo(ctx, os.Stdout)
	case "publisher":
		err = publisher(ctx, *bind, *every, os.Stdout)
	case "subscriber":
		err = subscriber(ctx, *connect, *topic, os.Stdout)
	default:
		err = fmt.Errorf("role %q: want publisher or subscriber", *role)
	}
	if err != nil && ctx.Err() == nil { // Ctrl-C is no failure
		fmt.Fprintln(os.Stderr, "weather:", err)
		os.Exit(1)
	}
}

// demo has one publisher and two subscribers, who want different places.
func demo(ctx context.Context, out io.Writer) error {
	const rounds = 12
	pub, endpoint, err := listen("tcp://127.0.0.1:*")
	if err != nil {
		return err
	}
	defer pub.Close()

	oslo, err := subscribe(endpoint, "weather.oslo")
	if err != nil {
		return err
	}
	defer oslo.Close()
	ber, err := subscribe(endpoint, "weather.ber")
	if err != nil {
		return err
	}
	defer ber.Close()
	// A subscription to "weather.ber" is one to "weather.bergen", too.
	for _, topic := range []string{"weather.oslo", "weather.bergen"} {
		if err := pub.WaitSubscribers(ctx, topic, 1); err != nil {
			return err
		}
	}

	if err := publish(ctx, pub, rounds, 0); err != nil {
		return err
	}
	one, err := collect(ctx, oslo, rounds)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "subscriber of %q: %v\n", "weather.oslo", one)
	three, err := collect(ctx, ber, 3*rounds)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "subscriber of %q: %v\n", "weather.ber", three)
	stats := pub.Stats()
	fmt.Fprintf(out, "publisher: %d readings, %d sent, %d that nobody wanted\n",
		rounds*len(places), stats.Accepted, stats.Unmatched)
	return nil
}

// publisher publishes until ctx is done.
func publisher(ctx context.Context, endpoint string, every time.Duration, out io.Writer) error {
	pub, at, err := listen(endpoint)
	if err != nil {
		return err
	}
	defer pub.Close()
	fmt.Fprintln(out, "publisher: publishes at", at)
	return publish(ctx, pub, 0, every)
}

// subscriber prints what it gets until ctx is done.
func subscriber(ctx context.Context, endpoint, topic string, out io.Writer) error {
	sub, err := subscribe(endpoint, topic)
	if err != nil {
		return err
	}
	defer sub.Close()
	for m, err := range sub.Messages(ctx) {
		if err != nil {
			return err
		}
		reading, err := parse(m)
		m.Release()
		if errors.Is(err, errNoReading) {
			fmt.Fprintln(out, "subscriber:", err) // whatever a publisher sends, it does not stop us
			continue
		}
		fmt.Fprintf(out, "subscriber: %s %d degrees\n", reading.place, reading.degrees)
	}
	return nil
}
