package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// value is what a setting holds. parse takes one text, a list more or none; its
// error says what the value is and what is wanted.
type value interface {
	parse(texts []string) error
	isList() bool
	String() string
}

// valueError completes "<name> " to a sentence.
type valueError struct{ got, want string }

func (e *valueError) Error() string { return fmt.Sprintf("is %s, want %s", e.got, e.want) }

// unwanted is the error of a value that was given as texts.
func unwanted(texts []string, want string, args ...any) error {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = strconv.Quote(t)
	}
	return &valueError{strings.Join(quoted, ", "), fmt.Sprintf(want, args...)}
}

// scalar is what all values have in common that are no lists.
type scalar struct{}

func (scalar) isList() bool { return false }

func single(texts []string, want string) (string, error) {
	if len(texts) != 1 {
		return "", &valueError{fmt.Sprintf("a list of %d", len(texts)), want}
	}
	return texts[0], nil
}

// choice is one of a few words.
type choice struct {
	scalar
	value string
	among []string
}

func (v *choice) String() string { return v.value }

func (v *choice) parse(texts []string) error {
	last := len(v.among) - 1
	want := strings.Join(v.among[:last], ", ") + " or " + v.among[last]
	t, err := single(texts, want)
	if err != nil {
		return err
	}
	if !slices.Contains(v.among, t) {
		return unwanted(texts, "%s", want)
	}
	v.value = t
	return nil
}

// text is any text.
type text struct{ value string }

func (v *text) isList() bool   { return false }
func (v *text) String() string { return v.value }

func (v *text) parse(texts []string) (err error) {
	v.value, err = single(texts, "one text")
	return err
}

// texts are any texts.
type texts struct{ list []string }

func (v *texts) isList() bool   { return true }
func (v *texts) String() string { return strings.Join(v.list, ",") }

func (v *texts) parse(texts []string) error {
	v.list = slices.Clone(texts)
	return nil
}

// truth is true or false.
type truth struct {
	scalar
	value bool
}

func (v *truth) String() string { return strconv.FormatBool(v.value) }

func (v *truth) parse(texts []string) error {
	t, err := single(texts, "true or false")
	if err != nil {
		return err
	}
	b, err := strconv.ParseBool(t)
	if err != nil {
		return unwanted(texts, "true or false")
	}
	v.value = b
	return nil
}

// count is a number of things, -1 without limit.
type count struct {
	scalar
	value     int64
	least     int64
	unlimited bool
}

func (v *count) String() string { return strconv.FormatInt(v.value, 10) }

func (v *count) parse(texts []string) error {
	n, err := parseCount(texts, v.least, v.unlimited, "a number", func(t string) (int64, error) { return strconv.ParseInt(t, 10, 32) })
	if err == nil {
		v.value = n
	}
	return err
}

// size is a number of bytes, -1 without limit.
type size struct {
	scalar
	value     int64
	least     int64
	unlimited bool
}

var units = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

func (v *size) String() string {
	for _, u := range units {
		if v.value >= u.bytes && v.value%u.bytes == 0 && u.bytes > 1 {
			return strconv.FormatInt(v.value/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(v.value, 10)
}

func (v *size) parse(texts []string) error {
	n, err := parseCount(texts, v.least, v.unlimited, "a size such as 4096, 64KiB or 1MiB", parseSize)
	if err == nil {
		v.value = n
	}
	return err
}

func parseSize(t string) (int64, error) {
	factor := int64(1)
	for _, u := range units {
		if number, ok := strings.CutSuffix(t, u.name); ok {
			t, factor = strings.TrimSpace(number), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(t, 10, 64)
	if err == nil && n > math.MaxInt32*int64(1024)/factor {
		err = strconv.ErrRange
	}
	return n * factor, err
}

func parseCount(texts []string, least int64, unlimited bool, what string, parse func(string) (int64, error)) (int64, error) {
	want := fmt.Sprintf("%s, at least %d", what, least)
	if unlimited {
		want += ", or -1 for no limit"
	}
	t, err := single(texts, want)
	if err != nil {
		return 0, err
	}
	n, err := parse(t)
	if err != nil || n < least && !(unlimited && t == "-1") {
		return 0, unwanted(texts, "%s", want)
	}
	return n, nil
}

// span is a duration, -1 for ever.
type span struct {
	scalar
	value     time.Duration
	least     time.Duration
	unlimited bool
}

func (v *span) String() string {
	if v.value == -1 {
		return "-1"
	}
	return v.value.String()
}

func (v *span) parse(texts []string) error {
	want := "a time such as 250ms, 10s or 1m"
	if v.least > 0 {
		want += ", at least " + v.least.String()
	}
	if v.unlimited {
		want += ", or -1 for ever"
	}
	t, err := single(texts, want)
	if err != nil {
		return err
	}
	if t == "-1" && v.unlimited {
		v.value = -1
		return nil
	}
	d, err := time.ParseDuration(t)
	if err != nil || d < v.least {
		return unwanted(texts, "%s", want)
	}
	v.value = d
	return nil
}

// decode parses a node of the file.
func decode(v value, node *yaml.Node) error {
	var texts []string
	nodes := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		nodes = node.Content
	}
	for _, n := range nodes {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		if n.Kind != yaml.ScalarNode {
			return &lineError{n.Line, &valueError{"a list or a map", "plain text"}}
		}
		texts = append(texts, n.Value)
		if v.isList() { // alone first, to know the line
			if err := v.parse([]string{n.Value}); err != nil {
				return &lineError{n.Line, err}
			}
		}
	}
	if node.Kind == yaml.SequenceNode && !v.isList() {
		return &lineError{node.Line, &valueError{"a list", "one value"}}
	}
	if err := v.parse(texts); err != nil {
		return &lineError{node.Line, err}
	}
	return nil
}

func (v *choice) UnmarshalYAML(n *yaml.Node) error    { return decode(v, n) }
func (v *text) UnmarshalYAML(n *yaml.Node) error      { return decode(v, n) }
func (v *texts) UnmarshalYAML(n *yaml.Node) error     { return decode(v, n) }
func (v *truth) UnmarshalYAML(n *yaml.Node) error     { return decode(v, n) }
func (v *count) UnmarshalYAML(n *yaml.Node) error     { return decode(v, n) }
func (v *size) UnmarshalYAML(n *yaml.Node) error      { return decode(v, n) }
func (v *span) UnmarshalYAML(n *yaml.Node) error      { return decode(v, n) }
func (v *endpoints) UnmarshalYAML(n *yaml.Node) error { return decode(v, n) }
