package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

// Load reads a run that Save wrote. It takes the whole of it or nothing: a
// file of another version, one that was cut off, and one with a field that
// this version does not know are errors that say what was expected.
func Load(path string) (*Run, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load a result: %w", err)
	}
	run, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("load a result: %s: %w", path, err)
	}
	return run, nil
}

func decode(data []byte) (*Run, error) {
	// The version first: a file of another version may well have other fields,
	// and then that it is another version is what the reader must hear.
	var head struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, decodeError(data, err)
	}
	switch {
	case head.Version == nil:
		return nil, fmt.Errorf("it has no version, want version %d of the suite's JSON", Version)
	case *head.Version != Version:
		return nil, fmt.Errorf("it has version %d, want version %d of the suite's JSON: run the suite again, or read it with the program that wrote it", *head.Version, Version)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	run := new(Run)
	if err := dec.Decode(run); err != nil {
		return nil, decodeError(data, err)
	}
	if err := run.Validate(); err != nil {
		return nil, err
	}
	return run, nil
}

// decodeError adds to what encoding/json says where it is and what was
// expected.
func decodeError(data []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return fmt.Errorf("it is empty, want version %d of the suite's JSON", Version)
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(data)), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("it ends after %d bytes in the middle of the JSON, want all of it: the file was cut off", len(data))
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: %w, want version %d of the suite's JSON (which has no NaN and no infinity)", line(data, syntax.Offset), err, Version)
	case errors.As(err, &kind):
		return fmt.Errorf("line %d: %s is %s, want %s", line(data, kind.Offset), kind.Field, kind.Value, kind.Type)
	}
	return fmt.Errorf("%w, want only the fields of version %d of the suite's JSON", err, Version)
}

func line(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n"))
}

// Save writes the run to path. Whoever reads path at any time sees the file
// that was there before or the new one, never half of either.
func (r *Run) Save(path string) error {
	if err := r.save(path); err != nil {
		return fmt.Errorf("save a result: %w", err)
	}
	return nil
}

func (r *Run) save(path string) error {
	if r.Version != Version {
		return fmt.Errorf("the run has version %d, want %d", r.Version, Version)
	}
	if err := r.Validate(); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	data = append(data, '\n')

	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory, want the name of a file", path)
	case !info.Mode().IsRegular():
		// A terminal, a pipe or a device must not be replaced by a file.
		return os.WriteFile(path, data, 0)
	default:
		// Through a symbolic link the file is replaced, not the link.
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	return replace(path, data)
}

// replace writes data beside path and moves it there when it is complete.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if wrong, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: "write", Path: path, Err: wrong.Err} // a name that the reader knows
	}
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it has been moved, as it should
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Validate checks what the arithmetic here, and the reports, rely on: names are
// there once, figures are finite and not negative.
func (r *Run) Validate() error {
	rows := make(map[string]bool)
	for i, row := range r.Rows {
		if row.Name == "" {
			return fmt.Errorf("row %d has no name", i+1)
		}
		if rows[row.Name] {
			return fmt.Errorf("row %s is there twice, want each name once", row.Name)
		}
		rows[row.Name] = true
		labels := make(map[string]bool)
		for j, c := range row.Contenders {
			if c.Label == "" {
				return fmt.Errorf("row %s: contender %d has no label", row.Name, j+1)
			}
			if labels[c.Label] {
				return fmt.Errorf("row %s: %s is there twice, want each label once", row.Name, c.Label)
			}
			labels[c.Label] = true
			if err := c.validate(); err != nil {
				return fmt.Errorf("row %s: %s: %w", row.Name, c.Label, err)
			}
		}
	}
	return nil
}

func (c *Contender) validate() error {
	for i, s := range c.Slices {
		for _, q := range Quantities {
			if v, ok := q.of(s); ok && !measurable(v) {
				return fmt.Errorf("slice %d: %s is %v, want a finite number that is not negative", i+1, q, v)
			}
		}
		if !measurable(s.Seconds) {
			return fmt.Errorf("slice %d: seconds is %v, want a finite number that is not negative", i+1, s.Seconds)
		}
	}
	if c.Latency == nil {
		return nil
	}
	if !measurable(c.Latency.Mean) {
		return fmt.Errorf("latency: mean is %v, want a finite number that is not negative", c.Latency.Mean)
	}
	last := Percentile{}
	for _, p := range c.Latency.Percentiles {
		if !(p.Percent >= last.Percent && p.Percent <= 100) || p.Value < last.Value {
			return fmt.Errorf("latency: percentile %v is %d ns and comes after percentile %v with %d ns, want both to ascend, to 100 at most", p.Percent, p.Value, last.Percent, last.Value)
		}
		last = p
	}
	return nil
}

func measurable(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }
