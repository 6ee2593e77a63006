package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/socket"
)

// TestOptions: each setting arrives in the sockets.
func TestOptions(t *testing.T) {
	load := func(flags map[string][]string) *config {
		t.Helper()
		s := &source{flags: flags, env: func(string) (string, bool) { return "", false }}
		c, err := s.load()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	got := load(map[string][]string{
		"name": {"n"}, "send-hwm": {"11"}, "recv-hwm": {"12"}, "send-hwm-bytes": {"13KiB"}, "recv-hwm-bytes": {"-1"},
		"max-message-size": {"15"}, "max-connections": {"16"}, "send-buffer": {"17"}, "heartbeat-interval": {"18s"},
		"max-connections-per-address": {"22"}, "max-accept-rate": {"23"}, "max-handshakes": {"24"}, "max-subscriptions": {"25"}, "require-secure": {"true"},
		"heartbeat-timeout": {"19s"}, "reconnect-max": {"20ms"}, "linger": {"21s"},
	}).options()
	want := &socket.Options{
		Metadata: map[string]string{"X-Name": "n"}, SendHWM: 11, RecvHWM: 12, SendHWMBytes: 13 << 10, RecvHWMBytes: -1,
		MaxConnectionsPerAddress: 22, MaxAcceptRate: 23, MaxHandshakes: 24, MaxSubscriptions: 25, RequireSecure: true,
		MaxMessageSize: 15, MaxConnections: 16, SendBuffer: 17, HeartbeatInterval: 18 * time.Second,
		HeartbeatTimeout: 19 * time.Second, ReconnectMin: 20 * time.Millisecond, ReconnectMax: 20 * time.Millisecond, Linger: 21 * time.Second,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if o := load(map[string][]string{"linger": {"0"}}).options(); !o.NoLinger || o.Linger != 0 {
		t.Errorf("linger 0 is %v, %v", o.NoLinger, o.Linger)
	}
	if o := load(map[string][]string{"linger": {"-1"}}).options(); o.NoLinger || o.Linger != -1 {
		t.Errorf("linger -1 is %v, %v", o.NoLinger, o.Linger)
	}
	// The defaults are the library's.
	o := load(nil).options()
	for name, pair := range map[string][2]any{
		"SendHWM": {o.SendHWM, socket.DefaultHWM}, "SendHWMBytes": {o.SendHWMBytes, int64(socket.DefaultHWMBytes)},
		"MaxMessageSize": {o.MaxMessageSize, int64(socket.DefaultMaxMessageSize)}, "Linger": {o.Linger, socket.DefaultLinger},
		"ReconnectMin": {o.ReconnectMin, socket.DefaultReconnectMin}, "ReconnectMax": {o.ReconnectMax, socket.DefaultReconnectMax},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
}

// TestKeepCoversEverySetting: what needs a restart stays, whatever its type.
func TestKeepCoversEverySetting(t *testing.T) {
	for _, s := range newConfig().settings() {
		if s.when == live {
			continue
		}
		running, next := newConfig(), newConfig()
		for _, other := range next.settings() {
			if other.name != s.name {
				continue
			}
			text := "1s"
			switch v := other.value.(type) {
			case *choice:
				text = v.among[len(v.among)-1]
			case *count, *size:
				text = "77"
			case *truth:
				text = "true"
			case *span:
				if v.value == time.Second {
					text = "2s"
				}
			}
			if err := other.value.parse([]string{text}); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
		}
		if got := running.keep(next); len(got) != 1 || got[0] != s.name {
			t.Errorf("%s: kept are %q", s.name, got)
		}
		if got := running.differences(next); len(got) != 0 {
			t.Errorf("%s: afterwards %q differ", s.name, got)
		}
	}
}

// TestGreetingNamesReachableAddresses: what was bound to all addresses is told as one
// that peers with IPv4 alone can connect to.
func TestGreetingNamesReachableAddresses(t *testing.T) {
	src := &source{flags: map[string][]string{
		"frontend": {"tcp://*:0"}, "backend": {"tcp://0.0.0.0:0", "tcp://127.0.0.1:0"}, "insecure": {"true"}, "admin": {":0"},
	}, env: func(string) (string, bool) { return "", false }}
	s := new(service)
	var err error
	if s.config, err = src.load(); err != nil {
		t.Fatal(err)
	}
	if s.device, err = s.config.device(s.keys, nil); err != nil {
		t.Fatal(err)
	}
	defer s.device.Close()
	if err := s.open(); err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`:\d+`).ReplaceAllString(s.greeting(), ":PORT")
	const all = "tcp://127.0.0.1:PORT (or any address of this machine)"
	if want := "forwarder: publishers connect to " + all + ", subscribers connect to " + all + " or tcp://127.0.0.1:PORT"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got, want := reachable("http://[::]:5561"), "http://127.0.0.1:5561 (or any address of this machine)"; got != want {
		t.Errorf("the admin: got %q, want %q", got, want)
	}
}

// TestREADMEConfiguration: the file of the README opens what it says, in an empty
// directory, as it is printed, but for the ports.
func TestREADMEConfiguration(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, file, _ := strings.Cut(string(text), "```yaml\n")
	file, _, ok := strings.Cut(file, "```")
	if !ok {
		t.Fatal("README.md has no YAML")
	}
	t.Chdir(t.TempDir())
	file = strings.NewReplacer(defaultFrontend, "tcp://127.0.0.1:0", defaultBackend, "tcp://127.0.0.1:0").Replace(file)
	// Nothing leaves this machine.
	file = strings.Replace(file, "192.0.2.7", "127.0.0.1", 1)
	if err := os.WriteFile("forwarder.yaml", []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	src := &source{file: "forwarder.yaml", env: func(string) (string, bool) { return "", false }}
	s := new(service)
	if s.config, err = src.load(); err != nil {
		t.Fatal(err)
	}
	if s.device, err = s.config.device(s.keys, nil); err != nil {
		t.Fatal(err)
	}
	defer s.device.Close()
	if err := s.open(); err != nil {
		t.Error(err)
	}
}
