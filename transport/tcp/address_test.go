package tcp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/tcp"
)

// grammar lists addresses with the part that is wrong with them on a bind and
// on a connect; "" means good.
var grammar = []struct{ address, bind, connect string }{
	{"127.0.0.1:5555", "", ""},
	{"0.0.0.0:1", "", ""},
	{"[::1]:65535", "", ""},
	{"[::]:5555", "", ""},
	{"[::ffff:127.0.0.1]:5555", "", ""},
	{"[fe80::1%eth0]:5555", "", ""},
	{"[fe80::1%2]:5555", "", ""},
	{"localhost:5555", "", ""},
	{"does-not-exist.invalid:5555", "", ""},
	{"a_b.example.:5555", "", ""},
	{"eth0.100:5555", "", ""},
	{"127.0.0.1:00080", "", ""},

	{"*:5555", "", "host"},
	{"*:*", "", "host"},
	{"*:0", "", "host"},
	{"127.0.0.1:0", "", "port"},
	{"127.0.0.1:*", "", "port"},
	{"127.0.0.1:00", "", "port"},
	{"vEthernet (WSL):5555", "", "host"},
	{"Übertragung:5555", "", "host"},

	{"", "port", "port"},
	{":", "host", "host"},
	{":5555", "host", "host"},
	{"localhost", "port", "port"},
	{"localhost:", "port", "port"},
	{"[::1]", "port", "port"},
	{"127.0.0.1:65536", "port", "port"},
	{"127.0.0.1:65537", "port", "port"},
	{"127.0.0.1:99999999999999999999", "port", "port"},
	{"127.0.0.1:-1", "port", "port"},
	{"127.0.0.1:+1", "port", "port"},
	{"127.0.0.1: 1", "port", "port"},
	{"127.0.0.1:0x1", "port", "port"},
	{"127.0.0.1:1_0", "port", "port"},
	{"127.0.0.1:http", "port", "port"},
	{"127.0.0.1:٣", "port", "port"},
	{"*:6000/foo", "port", "host"},
	{"localhost:6000/foo", "port", "port"},
	{"127.0.0.1:*1", "port", "port"},

	{"::1:5555", "host", "host"},
	{"[::1:5555", "host", "host"},
	{"[]:5555", "host", "host"},
	{"[127.0.0.1]:5555", "host", "host"},
	{"[localhost]:5555", "host", "host"},
	{"[fe80::1%]:5555", "host", "host"},
	{"[fe80::1%0]:5555", "host", "host"},
	{"[fe80::1%\x00]:5555", "host", "host"},
	{"[fe80::1%a/b]:5555", "host", "host"},
	{"[::1]x:5555", "host", "host"},
	{"fe80::1%eth0:5555", "host", "host"},
	{"256.0.0.1:5555", "host", "host"},
	{"127.1:5555", "host", "host"},
	{"1:5555", "host", "host"},
	{"127.0.0.01:5555", "host", "host"},
	{"*a:5555", "host", "host"},
	{"a/b:5555", "host", "host"},
	{"a b:5555", "", "host"},
	{" a:5555", "host", "host"},
	{"a\x00:5555", "host", "host"},
	{"a\xff:5555", "host", "host"},
	{strings.Repeat("a", 300) + ":5555", "host", "host"},

	{"*:*;127.0.0.1:5555", "host", ""},
	{"*:0;localhost:5555", "host", ""},
	{"127.0.0.1:0;127.0.0.1:5555", "host", ""},
	{"127.0.0.1:6000;127.0.0.1:5555", "host", ""},
	{"eth0:6000;127.0.0.1:5555", "host", ""},
	{"[::1]:*;[::1]:5555", "host", ""},
	{";127.0.0.1:5555", "host", "source port"},
	{":1;127.0.0.1:5555", "host", "source host"},
	{"127.0.0.1;127.0.0.1:5555", "host", "source port"},
	{"127.0.0.1:70000;127.0.0.1:5555", "host", "source port"},
	{"[::1:0;127.0.0.1:5555", "host", "source host"},
	{"*:0;", "port", "port"},
	{"*:0;*:5555", "host", "host"},
	{"*:0;localhost:0", "host", "port"},
	{"*:0;*:0;localhost:5555", "host", "host"},
}

func TestCheck(t *testing.T) {
	for _, test := range grammar {
		checkPart(t, test.address, true, test.bind)
		checkPart(t, test.address, false, test.connect)
	}
}

func checkPart(t *testing.T, address string, bind bool, part string) {
	t.Helper()
	err := tcp.Transport{}.Check(address, bind)
	if part == "" {
		if err != nil {
			t.Errorf("Check(%q, %v): %v, want no error", address, bind, err)
		}
		return
	}
	var wrong *transport.EndpointError
	if !errors.As(err, &wrong) || wrong.Part != part || wrong.Endpoint != "tcp://"+address {
		t.Errorf("Check(%q, %v): %v, want an EndpointError about the %s", address, bind, err, part)
		return
	}
	if !strings.Contains(wrong.Reason, "want ") && !strings.Contains(wrong.Reason, "more than") {
		t.Errorf("Check(%q, %v): %v does not say what is accepted", address, bind, err)
	}
}

func TestCheckMessages(t *testing.T) {
	for _, test := range []struct {
		address string
		bind    bool
		want    string
	}{
		{":5555", true, `endpoint "tcp://:5555": host is empty, want *, an address, a name or an interface`},
		{"*:6000/foo", true, `endpoint "tcp://*:6000/foo": port "6000/foo" is not a decimal number, want 0 to 65535 or *`},
		{"h:65537", false, `endpoint "tcp://h:65537": port "65537" is out of range, want 1 to 65535`},
		{"h:*", false, `endpoint "tcp://h:*": port is *, which only a bind or a source can use, want 1 to 65535`},
		{"*:1", false, `endpoint "tcp://*:1": host is *, which only a bind or a source can use, want an address or a name`},
		{"::1:1", false, `endpoint "tcp://::1:1": host "::1" has a colon, want an IPv6 address in brackets, as in [::1]:5555`},
		{"a b:1", false, `endpoint "tcp://a b:1": host "a b" contains ' ', want an address or a name`},
		{"x;h:1", false, `endpoint "tcp://x;h:1": source port is missing, want host:port`},
	} {
		err := tcp.Transport{}.Check(test.address, test.bind)
		if err == nil || err.Error() != test.want {
			t.Errorf("Check(%q, %v):\n got %v\nwant %s", test.address, test.bind, err, test.want)
		}
	}
}

// FuzzCheck holds Check to its contract on any input: it does not panic, it
// refuses with a complete EndpointError, and what a connect accepts without a
// source, a bind accepts too.
func FuzzCheck(f *testing.F) {
	for _, test := range grammar {
		f.Add(test.address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		bind := tcp.Transport{}.Check(address, true)
		connect := tcp.Transport{}.Check(address, false)
		for _, err := range []error{bind, connect} {
			var wrong *transport.EndpointError
			if err != nil && (!errors.As(err, &wrong) || wrong.Endpoint != "tcp://"+address || wrong.Part == "" || wrong.Reason == "") {
				t.Fatalf("Check(%q): %#v, want a complete EndpointError", address, err)
			}
		}
		if connect == nil && bind != nil && !strings.Contains(address, ";") {
			t.Fatalf("Check(%q): connect accepts what bind refuses: %v", address, bind)
		}
		if strings.ContainsAny(address, "\x00/") && (bind == nil || connect == nil) {
			t.Fatalf("Check(%q) accepts a NUL or a slash", address)
		}
	})
}
