package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// source is where a configuration comes from: the command line over the
// environment over the file over the defaults. It can be read again, when the
// file has changed.
type source struct {
	flags map[string][]string         // by the names of settings, those that were given
	env   func(string) (string, bool) // os.LookupEnv
	names []string                    // of the variables that there are, of all programs
	file  string                      // empty: none
}

// unknown are the variables that look like settings and are none. That is no error:
// a cluster may set variables that begin like ours on its own.
func (s *source) unknown() (names []string) {
	known := []string{envName("config")}
	for _, set := range newConfig().settings() {
		known = append(known, envName(set.name))
	}
	for _, name := range s.names {
		if strings.HasPrefix(name, envName("")) && !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	return names
}

// load returns a complete, valid configuration. Its errors are usage errors.
func (s *source) load() (*config, error) {
	c := newConfig()
	if s.file != "" {
		if err := readFile(s.file, c); err != nil {
			return nil, &usageError{err}
		}
	}
	for _, set := range c.settings() {
		name, given := "--"+set.name, s.flags[set.name]
		if given == nil {
			name = envName(set.name)
			if t, ok := s.env(name); ok {
				given = []string{t}
				if set.value.isList() {
					given = strings.FieldsFunc(t, func(r rune) bool { return r == ',' })
				}
			}
		}
		if given == nil {
			continue
		}
		if err := set.value.parse(given); err != nil {
			return nil, usagef("%s %w", name, err)
		}
	}
	return c, c.check()
}

// envName is the environment variable of a setting.
func envName(setting string) string {
	return "RINGWIRE_" + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// lineError is an error at a line of the file.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// readFile sets what the file has. Its errors begin with the file and, where it
// is about a line, its number.
func readFile(path string, c *config) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	err = d.Decode(c)
	if errors.Is(err, io.EOF) {
		return nil // an empty file
	}
	if err == nil {
		if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: want one document, there is a second", path)
		}
		return nil
	}
	if at, ok := errors.AsType[*lineError](err); ok {
		return fmt.Errorf("%s:%d: %s %w", path, at.line, keyAt(content, at.line), at.err)
	}
	return fmt.Errorf("%s:%s", path, c.explain(err))
}

// unknownField is how package yaml tells of a key that config does not have.
var unknownField = regexp.MustCompile(`^line (\d+): field (.*) not found in type .*$`)

// explain puts the errors of package yaml into the words of a user.
func (c *config) explain(err error) string {
	var names []string
	for _, s := range c.settings() {
		names = append(names, s.name)
	}
	list := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	if several, ok := errors.AsType[*yaml.TypeError](err); ok {
		list = several.Errors
	}
	for i, line := range list {
		if m := unknownField.FindStringSubmatch(line); m != nil {
			list[i] = fmt.Sprintf("%s: unknown key %q, keys are %s", m[1], m[2], strings.Join(names, ", "))
			if i < len(list)-1 { // the keys are told once
				list[i], _, _ = strings.Cut(list[i], ", keys are")
			}
		} else if number, rest, ok := strings.Cut(strings.TrimPrefix(line, "line "), ": "); ok && strings.HasPrefix(line, "line ") {
			list[i] = number + ": " + strings.ReplaceAll(strings.ReplaceAll(rest, "main.config", "settings"), "!!", "")
		} else {
			list[i] = " " + line
		}
	}
	return strings.Join(list, "; ")
}

// keyAt is the key whose value is at a line: on the line itself or, for a list,
// above it.
func keyAt(content []byte, line int) string {
	lines := strings.Split(string(content), "\n")
	for i := min(line, len(lines)) - 1; i >= 0; i-- {
		if key, _, ok := strings.Cut(lines[i], ":"); ok && key != "" && !strings.ContainsAny(key[:1], " \t-#") {
			return strings.Trim(key, `"'`)
		}
	}
	return "a value"
}

// check refuses settings that do not go together.
func (c *config) check() error {
	if c.Kind.value != "forwarder" && c.OnFull.value != "default" && c.OnFull.value != "block" {
		return usagef("on-full %s is for kind forwarder, a %s has default or block", c.OnFull.value, c.Kind.value)
	}
	if c.Insecure.value && c.RequireSecure.value {
		return usagef("insecure and require-secure contradict each other")
	}
	encrypted := false
	for i, list := range [2][]endpoint{c.Frontend.list, c.Backend.list} {
		name := sideNames[i]
		files, names := c.curve(i)
		if err := files.check(names); err != nil {
			return err
		}
		if files.server != "" && len(files.own) == 0 {
			return usagef("%s needs %s, the client's secret key, which keygen makes", names.server, names.own)
		}
		encrypted = encrypted || files.encrypts()
		for _, e := range list {
			if why := e.exposed(); why != "" && !files.encrypts() && !c.Insecure.value {
				return usagef("%s %s binds %s: without encryption anybody there could use it; want %s, a loopback address or ipc, or --insecure", name, e, why, names.allow)
			}
			if i == 1 {
				for _, other := range c.Frontend.list {
					if e == other && !e.connects && !strings.HasSuffix(e.address, ":0") && !strings.HasSuffix(e.address, ":*") {
						return usagef("frontend and backend both bind %s", e)
					}
				}
			}
		}
	}
	if len(c.CurveKey.list) > 0 && !encrypted {
		return usagef("curve-key is given and nothing uses it: want frontend-curve-allow, backend-curve-allow or one of the server-key settings")
	}
	return c.checkAdmin()
}

func (c *config) checkAdmin() error {
	address := c.Admin.value
	if address == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return usagef("admin is %q, want host:port such as %s, or nothing for none", address, defaultAdmin)
	}
	if why := exposedHost(host); why != "" && !c.Insecure.value {
		return usagef("admin %s binds %s: anybody there could see and stop the traffic; bind a loopback address, or say --insecure", address, why)
	}
	return nil
}
