package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"strconv"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/ipc"
	"github.com/ringwire/ringwire/transport/tcp"
)

// maxSize is the largest message that the tools make. The buffer for it is
// allocated before anything is known of the peer.
const maxSize = 1 << 30

// maxCount is libzmq's: its tools count in an int.
const maxCount = 1<<31 - 1

// reach is where the messages of a tool go.
type reach int

const (
	betweenProcesses reach = iota // to a tool in another process, over tcp or ipc
	withinProcess                 // from one thread to another, over inproc
	throughProxy                  // the same, with a forwarder in between
)

// tool is one perf tool: one role of a pair that exchanges messages of one
// size, a fixed number of times, or both of them.
type tool struct {
	name     string
	usage    string
	reach    reach
	binds    bool   // betweenProcesses: binds its endpoint; else it connects
	reports  bool   // has a result to print
	counts   string // what the last argument counts, in the words of the tool
	minCount int

	// play does the work, and writes the result to out.
	play func(ctx context.Context, lib library, j *job, out io.Writer) error
}

// endpointName is what the usage text calls the first argument.
func (t *tool) endpointName() string {
	if t.binds {
		return "bind-to"
	}
	return "connect-to"
}

// arguments are those of libzmq's tool of this name.
func (t *tool) arguments() string {
	if t.reach != betweenProcesses {
		return fmt.Sprintf("<message-size> <%s>", t.counts)
	}
	return fmt.Sprintf("<%s> <message-size> <%s>", t.endpointName(), t.counts)
}

// command is the tool's part of the command line.
func (t *tool) command(ctx context.Context, stdout, stderr io.Writer) *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "lib", Value: "ringwire", Usage: "`library` that plays the role: " + libraryNames(t)},
		&cli.BoolFlag{Name: "spin-off", Usage: "ringwire only: sleep at once instead of spinning first (Options.Spin -1)"},
		&cli.StringFlag{Name: "cpuprofile", Usage: "write a CPU profile to `file`"},
		&cli.BoolFlag{Name: "stats", Usage: "ringwire only: print the socket's counters to stderr at the end"},
	}
	if t.reach == betweenProcesses {
		flags = append(flags, &cli.BoolFlag{Name: "curve", Usage: "ringwire and libzmq only: encrypt with CURVE, with keys that are known to everybody; on both sides"})
	}
	if t.reports {
		flags = append(flags, &cli.BoolFlag{Name: "json", Usage: "print the result as one JSON object"})
	}
	description := ""
	if t.reach == betweenProcesses {
		description = mixing() + fmt.Sprintf(" When nothing has happened for %g s, one line on stderr says what is waited for.", patience.Seconds())
	}
	return &cli.Command{
		Name:            t.name,
		Usage:           t.usage,
		Description:     description,
		ArgsUsage:       t.arguments(),
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Flags:           flags,
		Action: func(_ context.Context, c *cli.Command) error {
			lib, j, err := t.parse(c, stderr)
			if err != nil {
				return err
			}
			return t.run(ctx, lib, j, c.String("cpuprofile"), stdout)
		},
	}
}

// parse turns the command line into a job. Its errors are usage errors.
func (t *tool) parse(c *cli.Command, stderr io.Writer) (library, *job, error) {
	args := c.Args().Slice()
	// The values come before their number: after a negative one everything
	// counts as an argument, flags too, and it is the value that was wrong.
	j := newJob(t, stderr)
	var err error
	values := args
	if t.reach == betweenProcesses && len(args) > 0 {
		j.endpoint, values = args[0], args[1:]
		err = checkEndpoint(t.endpointName(), j.endpoint, t.binds)
	}
	if len(values) > 0 && err == nil {
		j.size, err = parseNumber("message-size", values[0], 0, maxSize)
	}
	if len(values) > 1 && err == nil {
		j.count, err = parseNumber(t.counts, values[1], t.minCount, maxCount)
	}
	if err != nil {
		return nil, nil, err
	}
	want := 3
	if t.reach != betweenProcesses {
		want = 2
	}
	if len(args) != want {
		return nil, nil, usagef("%s got %d arguments %q, want %d: %s", t.name, len(args), args, want, t.arguments())
	}
	j.lib, j.spinOff, j.stats = c.String("lib"), c.Bool("spin-off"), c.Bool("stats")
	j.curve, j.binds = c.Bool("curve"), t.binds
	j.json = t.reports && c.Bool("json")
	if c.IsSet("cpuprofile") && c.String("cpuprofile") == "" {
		return nil, nil, usagef("--cpuprofile is empty, want the name of a file to write")
	}
	lib, err := findLibrary(t, j)
	return lib, j, err
}

// run plays the role, with a CPU profile if profile names a file.
func (t *tool) run(ctx context.Context, lib library, j *job, profile string, stdout io.Writer) (err error) {
	defer func() {
		if closeErr := lib.close(ctx, j); err == nil && closeErr != nil {
			err = fmt.Errorf("%s: %w", t.name, closeErr)
		}
	}()
	if profile != "" {
		file, err := os.Create(profile)
		if err != nil {
			return fmt.Errorf("create CPU profile: %w", err)
		}
		defer func() {
			if closeErr := file.Close(); err == nil && closeErr != nil {
				err = fmt.Errorf("write CPU profile: %w", closeErr)
			}
		}()
		if err := pprof.StartCPUProfile(file); err != nil {
			return fmt.Errorf("start CPU profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	if err := t.play(ctx, lib, j, stdout); err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	return nil
}

// checkEndpoint refuses what cannot join two processes.
func checkEndpoint(name, endpoint string, bind bool) error {
	scheme, address, err := transport.Split(endpoint)
	if err == nil {
		switch scheme {
		case "tcp":
			err = tcp.Transport{}.Check(address, bind)
		case "ipc":
			err = ipc.Transport{}.Check(address, bind)
		case "inproc":
			return usagef("<%s> is %q, but inproc does not reach from one process to another, accepted are tcp://host:port and ipc://path", name, endpoint)
		default:
			return usagef("<%s> is %q with unknown scheme %q, accepted are tcp://host:port and ipc://path", name, endpoint, scheme)
		}
	}
	if err != nil {
		return usagef("<%s>: %w; accepted are tcp://host:port and ipc://path", name, err)
	}
	return nil
}

func parseNumber(name, text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, usagef("<%s> is %q, want a number from %d to %d", name, text, least, most)
	}
	return n, nil
}
