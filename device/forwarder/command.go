package main

import (
	"context"
	"fmt"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"
)

// command is the command line.
func (p *program) command() *cli.Command {
	root := &cli.Command{
		Name:  "forwarder",
		Usage: "many publishers, many subscribers, one address for each side",
		Description: "Without arguments, publishers connect to " + defaultFrontend + ", subscribers to " + defaultBackend +
			",\nand http://" + defaultAdmin + " shows what goes on." +
			"\n\nEvery flag is also an environment variable and a key of the file that --config names;" +
			"\nflags go over the environment, that over the file. SIGTERM drains and ends, SIGHUP reads the file again.",
		ArgsUsage:                       "[command]",
		Flags:                           configFlags(),
		Writer:                          p.stdout,
		ErrWriter:                       p.stderr,
		EnableShellCompletion:           true,
		ConfigureShellCompletionCommand: func(c *cli.Command) { c.Hidden = false },
		DisableSliceFlagSeparator:       true,
		// The exit code is run's business.
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
		OnUsageError:   onUsageError,
		Commands: []*cli.Command{
			p.checkCommand(), p.keygenCommand(), p.catCommand(), p.tapCommand(), p.explainCommand(), p.versionCommand(),
		},
	}
	root.Action = func(ctx context.Context, c *cli.Command) error {
		if c.Args().Present() {
			return usagef("there is no command %q, commands are check, keygen, cat, tap, explain, version, completion; --help says more", c.Args().First())
		}
		return p.serve(ctx, p.source(c))
	}
	return root
}

// configFlags are the settings as flags.
func configFlags() []cli.Flag {
	flags := []cli.Flag{&cli.StringFlag{Name: "config", Usage: "YAML `file` with settings [$RINGWIRE_CONFIG]", Local: true, TakesFile: true}}
	for _, s := range newConfig().settings() {
		usage := s.usage + " [$" + envName(s.name) + "]"
		switch v := s.value.(type) {
		case *truth:
			flags = append(flags, &cli.BoolFlag{Name: s.name, Usage: usage, Local: true})
		case *texts, *endpoints:
			f := &cli.StringSliceFlag{Name: s.name, Usage: usage, Local: true}
			if d := v.String(); d != "" {
				f.DefaultText = d
			}
			flags = append(flags, f)
		default:
			flags = append(flags, &cli.StringFlag{Name: s.name, Usage: usage, Local: true, DefaultText: v.String()})
		}
	}
	return flags
}

// source collects what was given on the command line.
func (p *program) source(c *cli.Command) *source {
	s := &source{flags: make(map[string][]string), env: p.env, names: p.names}
	s.file, _ = p.env("RINGWIRE_CONFIG")
	if c.IsSet("config") {
		s.file = c.String("config")
	}
	for _, set := range newConfig().settings() {
		if !c.IsSet(set.name) {
			continue
		}
		switch set.value.(type) {
		case *truth:
			s.flags[set.name] = []string{fmt.Sprint(c.Bool(set.name))}
		case *texts, *endpoints:
			s.flags[set.name] = c.StringSlice(set.name)
		default:
			s.flags[set.name] = []string{c.String(set.name)}
		}
	}
	return s
}

// onUsageError adds where to look to cli's own complaints about flags.
func onUsageError(_ context.Context, c *cli.Command, err error, _ bool) error {
	return usagef("%w; %s --help has the flags", err, c.FullName())
}

// noArguments refuses them.
func noArguments(c *cli.Command) error {
	if c.Args().Present() {
		return usagef("%s takes no arguments, got %q", c.Name, c.Args().First())
	}
	return nil
}

// oneEndpoint is the argument of a command that connects to it; without one it is at,
// if that is not empty.
func oneEndpoint(c *cli.Command, at string) (string, error) {
	if n := c.Args().Len(); n == 1 {
		at = c.Args().First()
	} else if n > 1 || at == "" {
		return "", usagef("%s got %d arguments, want one endpoint", c.Name, n)
	}
	if err := checkAddress(at, false); err != nil {
		return "", usagef("<endpoint> %w", err)
	}
	return at, nil
}

// untilStopped is an action whose ctx ends with a signal to end.
func untilStopped(action cli.ActionFunc) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		return action(ctx, c)
	}
}

func (p *program) checkCommand() *cli.Command {
	return &cli.Command{
		Name:                      "check",
		Usage:                     "validate a configuration, without starting anything",
		Description:               "Prints the settings as they would be, in the form of a file.",
		Flags:                     configFlags(),
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		OnUsageError:              onUsageError,
		Action: func(_ context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			src := p.source(c)
			conf, err := src.load()
			if err != nil {
				return err
			}
			for _, name := range src.unknown() {
				fmt.Fprintf(p.stderr, "forwarder: the environment variable %s is none of the settings that --help names\n", name)
			}
			ring, err := conf.readKeys(nil)
			if err != nil {
				return err
			}
			d, err := conf.device(ring, nil)
			if err != nil {
				return &usageError{err}
			}
			if err := d.Close(); err != nil {
				return err
			}
			return conf.print(p.stdout)
		},
	}
}

func (p *program) versionCommand() *cli.Command {
	return &cli.Command{
		Name:            "version",
		Usage:           "print the version",
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Action: func(_ context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout, "ringwire forwarder %s, %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// version is that of the module or, in a clone, the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v != "" && v != "(devel)" {
		return v
	}
	words := []string{"devel"}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			words = append(words, s.Value[:min(12, len(s.Value))])
		case s.Key == "vcs.modified" && s.Value == "true":
			words = append(words, "modified")
		}
	}
	return strings.Join(words, " ")
}
