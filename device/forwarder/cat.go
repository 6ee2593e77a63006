package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/pattern"
)

func (p *program) catCommand() *cli.Command {
	var lines []string
	for _, f := range formats {
		lines = append(lines, fmt.Sprintf("  %-8s %s", f.name, f.usage))
	}
	return &cli.Command{
		Name:      "cat",
		Usage:     "send messages to, or print messages from, any socket",
		ArgsUsage: "[message...]",
		Description: "pub and push send the arguments or, without any, the lines of standard input, each a message.\n" +
			"sub and pull print what comes. req sends likewise and prints each reply; rep prints each\n" +
			"request and answers with the arguments in turn or, without any, with the request. Other types\n" +
			"send the arguments, or standard input if the only one is -, and print what comes.\n\n" +
			"Formats, a message being a line:\n" + strings.Join(lines, "\n") + "\n\n" +
			"  forwarder cat --type sub --connect tcp://127.0.0.1:5560 --subscribe news\n" +
			"  forwarder cat --type pub --connect tcp://127.0.0.1:5559 --format quoted '\"news\" \"hello\"'\n" +
			"\nraw sends one frame; the others several, such as a topic and a body in the second line. A\n" +
			"request wants somebody who answers, such as a queue, or examples/23-python -role server:\n" +
			"  forwarder cat --type req --connect tcp://127.0.0.1:5555 --timeout 2s ping",
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		OnUsageError:              onUsageError,
		Flags: append(append(socketFlags(), clientFlags()...),
			&cli.StringFlag{Name: "format", Value: "raw", Usage: "`format` of messages: " + formatNames()},
			&cli.IntFlag{Name: "count", Aliases: []string{"n"}, Usage: "`number` of messages to send, arguments again and again, or to print; 0 is all"},
			&cli.DurationFlag{Name: "interval", Aliases: []string{"i"}, Usage: "`time` between messages"},
			&cli.DurationFlag{Name: "timeout", Aliases: []string{"t"}, Usage: "`time` to wait for a peer, a message or room at most; 0 is for ever, and after two seconds it says what is wrong"},
			&cli.IntFlag{Name: "wait", Value: 1, Usage: "`number` of subscribers or peers before the first message is sent (pub, xpub, router)"},
		),
		Action: untilStopped(p.cat),
	}
}

func (p *program) cat(ctx context.Context, c *cli.Command) error {
	k := &cat{count: c.Int("count"), interval: c.Duration("interval"), timeout: c.Duration("timeout"), wait: c.Int("wait")}
	var err error
	if k.format, err = findFormat(c.String("format")); err != nil {
		return err
	}
	for name, n := range map[string]int64{"count": int64(k.count), "interval": int64(k.interval), "timeout": int64(k.timeout), "wait": int64(k.wait)} {
		if n < 0 {
			return usagef("--%s is negative, want 0 or more", name)
		}
	}
	args := c.Args().Slice()
	fromStdin := len(args) == 1 && args[0] == "-"
	if !fromStdin {
		for _, arg := range args {
			m, err := k.format.parse(arg)
			if err != nil || len(m) == 0 {
				return usagef("message %q is not %s: %w", arg, k.format.name, orNoFrames(err))
			}
			k.given = append(k.given, m)
		}
	}
	if k.socket, k.trouble, err = openSocket(c); err != nil {
		return err
	}
	defer k.socket.Close()
	defer k.trouble.close()
	k.trouble.warn(p.stderr)
	spec := k.socket.Type()
	switch spec {
	case pattern.Pub, pattern.Push, pattern.Req:
		fromStdin = fromStdin || len(args) == 0
	case pattern.Sub, pattern.Pull:
		if len(args) > 0 {
			return usagef("a %s socket cannot send, got the message %q", strings.ToLower(spec.Name()), args[0])
		}
	}
	if fromStdin {
		k.lines = bufio.NewReaderSize(p.stdin, 64<<10)
	}
	k.out = bufio.NewWriterSize(p.stdout, 64<<10)
	err = k.run(ctx, spec)
	if err == nil || ctx.Err() != nil {
		err = k.finish()
	}
	return errors.Join(err, k.out.Flush())
}
