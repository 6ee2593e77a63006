package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"
	"golang.org/x/term"

	"github.com/ringwire/ringwire/socket/curve"
)

func (p *program) keygenCommand() *cli.Command {
	return &cli.Command{
		Name:      "keygen",
		Usage:     "make a CURVE key pair",
		ArgsUsage: "<name>",
		Description: "Writes NAME.key, the public certificate, which peers get, and NAME.key_secret, which nobody\n" +
			"but you can read; both as czmq and pyzmq keep them. Files that exist are not overwritten.\n\n" +
			"  forwarder keygen forwarder\n" +
			"  forwarder keygen clients/ann",
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "print", Usage: "print the secret certificate, for a pipe or a file, and write no files; no name is needed"},
			&cli.BoolFlag{Name: "show-secret", Usage: "with --print: to a terminal, too"},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Bool("show-secret") && !c.Bool("print") {
				return usagef("--show-secret is for --print")
			}
			if c.Bool("print") {
				if err := noArguments(c); err != nil {
					return err
				}
				return printKey(p.stdout, c.Bool("show-secret"))
			}
			if n := c.Args().Len(); n != 1 || c.Args().First() == "" {
				return usagef("keygen got %d arguments, want one name", n)
			}
			return writeKey(p.stdout, c.Args().First())
		},
	}
}

// writeKey makes the two files of a name, and says what they are.
func writeKey(w io.Writer, name string) error {
	key, err := curve.NewSecretKey()
	if err != nil {
		return err
	}
	c := &curve.Certificate{Public: key.Public(), Secret: key, Metadata: map[string]string{"name": filepath.Base(name)}}
	path := name + ".key"
	if err := c.Write(path); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keygen overwrites nothing: %w", err)
	} else if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s: public key %s, for peers\n%s_secret: secret key, for nobody else\n", path, c.Public, path)
	return err
}

// printKey writes a secret certificate to w, which is no terminal unless asked: what
// a terminal shows stays in its memory, and is seen by who looks over a shoulder.
func printKey(w io.Writer, terminal bool) error {
	if f, ok := w.(*os.File); ok && !terminal && term.IsTerminal(int(f.Fd())) {
		return usagef("--print would show the secret key on a terminal, want a pipe or a file, or --show-secret")
	}
	key, err := curve.NewSecretKey()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "curve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n", key.Public(), key.Text())
	return err
}
