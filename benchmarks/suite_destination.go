package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/ringwire/ringwire/benchmarks/internal/report"
	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// destination is a file that gets the results.
type destination struct{ save func(*result.Run) error }

// destinations are those of the command line. Each can be written to: a run is
// too long to find out afterwards.
func destinations(c *cli.Command) ([]destination, error) {
	var all []destination
	used := make(map[string]string)
	for _, format := range []struct {
		flag  string
		write func(io.Writer, *result.Run) error // nil: it is Save
	}{{"json", nil}, {"csv", report.CSV}, {"html", report.HTML}} {
		if !c.IsSet(format.flag) {
			continue
		}
		path := c.String(format.flag)
		if path == "" {
			return nil, usagef("--%s is empty, want the name of a file to write", format.flag)
		}
		if err := checkWritable(path); err != nil {
			return nil, usagef("--%s: %w, want the name of a file that can be written", format.flag, err)
		}
		if other := used[filepath.Clean(path)]; other != "" {
			return nil, usagef("--%s and --%s are both %s, want different files", other, format.flag, path)
		}
		used[filepath.Clean(path)] = format.flag
		save := func(run *result.Run) error { return run.Save(path) }
		if format.write != nil {
			save = func(run *result.Run) error { return saveReport(path, run, format.write) }
		}
		all = append(all, destination{save})
	}
	return all, nil
}

// checkWritable finds out whether a file can be written beside path and moved
// there, or, when path is a device, whether that can be written.
func checkWritable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory", path)
	default:
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		file.Close()
		if !info.Mode().IsRegular() {
			return nil
		}
	}
	file, err := besides(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// besides makes a file for what will be moved to path. Its error is about path,
// the name that was given.
func besides(path string) (*os.File, error) {
	// Through a symbolic link the file is replaced, not the link.
	target := path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		target = real
	}
	file, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if wrong, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, &fs.PathError{Op: "write", Path: path, Err: wrong.Err}
	}
	return file, err
}

// saveReport writes a report. Who reads path meanwhile sees the old or the new
// one, whole.
func saveReport(path string, run *result.Run, write func(io.Writer, *result.Run) error) error {
	var text bytes.Buffer
	if err := write(&text, run); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		// A terminal or a device must not be replaced by a file.
		if err := os.WriteFile(path, text.Bytes(), 0); err != nil {
			return fmt.Errorf("save a report: %w", err)
		}
		return nil
	}
	if err := replaceFile(path, text.Bytes()); err != nil {
		return fmt.Errorf("save a report: %w", err)
	}
	return nil
}

func replaceFile(path string, data []byte) error {
	file, err := besides(path)
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails once it has been moved, as it should
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(0o644)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return os.Rename(file.Name(), path)
}
