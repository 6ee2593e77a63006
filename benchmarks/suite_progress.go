package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
)

// progress tells how far the suite is: with a bar on a terminal, else with a
// line per row. It does nothing between two calls, so that nothing but the
// contender runs during a slice.
type progress struct {
	out io.Writer // for lines; nil with a bar
	bar *progressbar.ProgressBar
}

// silent tells nothing.
var silent = &progress{out: io.Discard}

func newProgress(stderr io.Writer, steps int) *progress {
	if !isTerminal(stderr) {
		return &progress{out: stderr}
	}
	return &progress{bar: progressbar.NewOptions(steps,
		progressbar.OptionSetWriter(stderr), progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
	)}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// row tells that a row begins.
func (p *progress) row(name string) {
	if p.bar != nil {
		p.bar.Describe(name)
		return
	}
	fmt.Fprintln(p.out, name)
}

// step tells that a slice is over. That it cannot be told is no reason to stop.
func (p *progress) step() {
	if p.bar != nil {
		_ = p.bar.Add(1)
	}
}

func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
