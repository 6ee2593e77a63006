package main

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "4096": 4096, "64KiB": 64 << 10, "1 MiB": 1 << 20, "2GiB": 2 << 30, "5B": 5, "-1": -1,
	} {
		v := size{least: 1, unlimited: true}
		if err := v.parse([]string{text}); err != nil || v.value != want {
			t.Errorf("%q is %d, %v, want %d", text, v.value, err, want)
		}
		again := size{least: 1, unlimited: true}
		if err := again.parse([]string{v.String()}); err != nil || again.value != want {
			t.Errorf("%q prints as %q, which is %d, %v", text, v.String(), again.value, err)
		}
	}
	for _, text := range []string{"", "0", "-2", "KiB", "1kb", "1.5MiB", "0x10", "99999999999999999999", "9999999999GiB", "-1KiB", "1 KiB B"} {
		v := size{value: 7, least: 1, unlimited: true}
		if err := v.parse([]string{text}); err == nil || v.value != 7 {
			t.Errorf("%q is %d, %v, want an error and no change", text, v.value, err)
		}
	}
}

func TestSpans(t *testing.T) {
	for text, want := range map[string]time.Duration{"0": 0, "250ms": 250 * time.Millisecond, "1m30s": 90 * time.Second, "-1": -1} {
		v := span{unlimited: true}
		if err := v.parse([]string{text}); err != nil || v.value != want {
			t.Errorf("%q is %v, %v, want %v", text, v.value, err, want)
		}
	}
	for _, text := range []string{"", "5", "-5s", "soon", "-1"} {
		v := span{value: 7}
		if err := v.parse([]string{text}); err == nil || v.value != 7 {
			t.Errorf("%q is %v, %v, want an error and no change", text, v.value, err)
		}
	}
}

func TestExposed(t *testing.T) {
	for text, want := range map[string]bool{
		"tcp://127.0.0.1:1": false, "tcp://127.255.0.1:1": false, "tcp://[::1]:1": false, "tcp://[::ffff:127.0.0.1]:1": false,
		"tcp://localhost:1": false, "ipc:///tmp/x": false, "ipc://@x": false, "connect:tcp://192.0.2.1:1": false,
		"tcp://*:1": true, "tcp://0.0.0.0:1": true, "tcp://[::]:1": true, "tcp://192.0.2.1:1": true,
		"tcp://[::ffff:192.0.2.1]:1": true, "tcp://[fe80::1%eth0]:1": true, "tcp://localhost.example:1": true, "tcp://nosuchinterface:1": true,
	} {
		e, err := parseEndpoint(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got := e.exposed(); (got != "") != want {
			t.Errorf("%s: %q, want it exposed: %v", text, got, want)
		}
	}
}

// TestSettingsAgree: the names of the settings are the keys of the file, and
// README.md has them with their environment variables and defaults.
func TestSettingsAgree(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	c := newConfig()
	keys := make(map[string]bool)
	for f := range reflect.TypeFor[config]().Fields() {
		keys[f.Tag.Get("yaml")] = true
	}
	settings := c.settings()
	if len(keys) != len(settings) {
		t.Errorf("%d settings and %d keys", len(settings), len(keys))
	}
	for _, s := range settings {
		if !keys[s.name] {
			t.Errorf("setting %s has no key", s.name)
		}
		def := ""
		if v := s.value.String(); v != "" {
			def = " `" + v + "`"
		}
		begin := fmt.Sprintf("| `--%s` | `%s` | `%s` |%s |", s.name, envName(s.name), s.name, def)
		when := map[moment]string{restart: "| restart |", live: "| reload |"}[s.when]
		found := false
		for line := range strings.Lines(string(text)) {
			found = found || strings.HasPrefix(line, begin) && strings.HasSuffix(strings.TrimSpace(line), when)
		}
		if !found {
			t.Errorf("README.md has no row that begins with %s and ends with %s", begin, when)
		}
	}
}
