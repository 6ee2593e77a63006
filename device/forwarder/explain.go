package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func (p *program) explainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "do only the handshake with an endpoint, and say what is there",
		ArgsUsage: "<endpoint>",
		Description: "Sends no message. The round trip is asked for where a second connection can do no harm: not\n" +
			"of PUSH, DEALER, REQ and PAIR, which might send it a message. The handshake announces a SUB without\n" +
			"a subscription, which takes no message from anybody.",
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Flags:           append(clientFlags(), &cli.DurationFlag{Name: "timeout", Value: 5 * time.Second, Usage: "`time` to wait for an answer"}),
		Action: untilStopped(func(ctx context.Context, c *cli.Command) error {
			at, err := oneEndpoint(c, "")
			if err != nil {
				return err
			}
			if c.Duration("timeout") <= 0 {
				return usagef("--timeout is %v, want more than 0", c.Duration("timeout"))
			}
			ctx, cancel := context.WithTimeout(ctx, c.Duration("timeout"))
			defer cancel()
			opts := new(socket.Options)
			if err := curveFlags(c, opts); err != nil {
				return err
			}
			return explain(ctx, p.stdout, at, opts)
		}),
	}
}

// explain has what the socket options say of keys.
func explain(ctx context.Context, w io.Writer, at string, keys *socket.Options) error {
	began := time.Now()
	info, err := socket.Probe(ctx, at, keys)
	if err != nil {
		if keys.Mechanism == nil && strings.Contains(err.Error(), "the peer's mechanism is CURVE") {
			return fmt.Errorf("%w; --curve-server-key makes it ours", err)
		}
		return err
	}
	took := time.Since(began)
	trip := roundTrip(ctx, at, &info, keys)

	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) { fmt.Fprintf(t, "%s\t%s\n", name, value) }
	row("endpoint", at)
	row("address", info.Remote)
	row("version", "ZMTP "+info.Version)
	row("mechanism", info.Mechanism)
	row("socket type", printable(info.SocketType))
	identity := "none"
	if len(info.Identity) > 0 {
		identity = strconv.QuoteToASCII(string(info.Identity))
	}
	row("identity", identity)
	for _, name := range slices.Sorted(maps.Keys(info.Metadata)) {
		if name != "Socket-Type" && name != "Identity" {
			row("metadata", printable(name)+": "+strconv.QuoteToASCII(info.Metadata[name]))
		}
	}
	row("handshake", fmt.Sprintf("took %v", took.Round(time.Microsecond)))
	row("round trip", trip)
	row("who can connect", compatible(info.SocketType))
	return t.Flush()
}

// compatible are the socket types that talk to one.
func compatible(kind string) string {
	var names []string
	for _, s := range specs {
		if s.Talks(kind) {
			names = append(names, s.Name())
		}
	}
	if len(names) == 0 {
		return "none that is known"
	}
	return strings.Join(names, ", ")
}

// asking are the socket types with which a peer can be asked for the round trip
// without being sent, and without taking, a message.
var asking = map[string]*pattern.Spec{
	"PUB": pattern.Sub, "XPUB": pattern.Sub, "SUB": pattern.Pub, "XSUB": pattern.Pub,
	"REP": pattern.Req, "ROUTER": pattern.Dealer, "PULL": pattern.Push,
}

// tripPatience bounds how long the round trip is waited for: there may be none.
const tripPatience = time.Second

// roundTrip asks with a PING, over a connection of its own.
func roundTrip(ctx context.Context, at string, info *socket.PeerInfo, keys *socket.Options) string {
	spec := asking[info.SocketType]
	switch {
	case spec == nil:
		return "not asked: a " + printable(info.SocketType) + " might send us a message"
	case info.Version != "3.1":
		return "cannot be asked in ZMTP " + info.Version
	}
	ctx, cancel := context.WithTimeout(ctx, tripPatience)
	defer cancel()
	s, err := socket.New(spec, &socket.Options{
		HeartbeatInterval: 20 * time.Millisecond, HeartbeatTimeout: tripPatience, NoLinger: true, Mechanism: keys.Mechanism,
	})
	if err != nil {
		return err.Error()
	}
	defer s.Close()
	if err := s.Connect(at); err != nil {
		return err.Error()
	}
	if err := s.WaitPeers(ctx, 1); err != nil {
		return printable(err.Error())
	}
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		for _, p := range s.Peers() {
			if p.RoundTrip > 0 {
				return p.RoundTrip.Round(time.Microsecond).String()
			}
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return "no answer to a PING"
		}
	}
}
