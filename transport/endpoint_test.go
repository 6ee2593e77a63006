package transport_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/transport"
)

func ExampleSplit() {
	fmt.Println(transport.Split("tcp://127.0.0.1:5555"))
	_, _, err := transport.Split("127.0.0.1:5555")
	fmt.Println(err)
	// Output:
	// tcp 127.0.0.1:5555 <nil>
	// endpoint "127.0.0.1:5555": scheme is not marked by "://", want scheme://address
}

func ExampleEndpointError() {
	_, _, err := transport.Split("tcp://")
	var wrong *transport.EndpointError
	if errors.As(err, &wrong) {
		fmt.Println(wrong.Part)
	}
	// Output: address
}

func TestSplit(t *testing.T) {
	for _, test := range []struct{ endpoint, scheme, address, part string }{
		{"tcp://*:5555", "tcp", "*:5555", ""},
		{"ipc:///tmp/x", "ipc", "/tmp/x", ""},
		{"ipc://a://b", "ipc", "a://b", ""},
		{"x-y+z.9://a", "x-y+z.9", "a", ""},
		{"inproc://\x00", "inproc", "\x00", ""},
		{"", "", "", "scheme"},
		{"tcp", "", "", "scheme"},
		{"tcp:/x", "", "", "scheme"},
		{"://x", "", "", "scheme"},
		{" tcp://x", "", "", "scheme"},
		{"TCP://x", "", "", "scheme"},
		{"9p://x", "", "", "scheme"},
		{"t\x00p://x", "", "", "scheme"},
		{"tcp://", "", "", "address"},
	} {
		scheme, address, err := transport.Split(test.endpoint)
		if scheme != test.scheme || address != test.address {
			t.Errorf("Split(%q) = %q, %q, want %q, %q", test.endpoint, scheme, address, test.scheme, test.address)
		}
		if test.part == "" {
			if err != nil {
				t.Errorf("Split(%q): %v, want no error", test.endpoint, err)
			}
			continue
		}
		var wrong *transport.EndpointError
		if !errors.As(err, &wrong) || wrong.Part != test.part || wrong.Endpoint != test.endpoint {
			t.Errorf("Split(%q): %#v, want an EndpointError about the %s", test.endpoint, err, test.part)
		}
	}
}

func TestEndpointError(t *testing.T) {
	err := error(&transport.EndpointError{Endpoint: "tcp://:5555", Part: "host",
		Reason: "is empty, want *, an address, a name or an interface", Err: errors.ErrUnsupported})
	want := `endpoint "tcp://:5555": host is empty, want *, an address, a name or an interface`
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v does not unwrap to its Err", err)
	}
}

func TestOptionsValidate(t *testing.T) {
	for _, test := range []struct {
		option  string // that the error must name; empty: valid
		options *transport.Options
	}{
		{"", nil},
		{"", &transport.Options{}},
		{"", &transport.Options{Backlog: 1, SendBuffer: 1, RecvBuffer: 1, KeepAlive: -1, UserTimeout: 1, TOS: 255}},
		{"Backlog", &transport.Options{Backlog: -1}},
		{"SendBuffer", &transport.Options{SendBuffer: -1}},
		{"RecvBuffer", &transport.Options{RecvBuffer: -1}},
		{"KeepAlive", &transport.Options{KeepAlive: -2}},
		{"UserTimeout", &transport.Options{UserTimeout: -1}},
		{"UserTimeout", &transport.Options{UserTimeout: 1 << 62}},
		{"TOS", &transport.Options{TOS: -1}},
		{"TOS", &transport.Options{TOS: 256}},
	} {
		err := test.options.Validate()
		if test.option == "" && err != nil {
			t.Errorf("%+v: %v, want no error", test.options, err)
		}
		if test.option != "" && (err == nil || !strings.Contains(err.Error(), "option "+test.option+" ")) {
			t.Errorf("%+v: error %v, want one that names %s", test.options, err, test.option)
		}
	}
}

// FuzzSplit holds Split to its inverse: what it accepts joins to what it was
// given, and what it refuses comes as an EndpointError that keeps the input.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"", "://", "tcp://", "tcp://*:5555", "ipc://@x", "a://b://c", "\x00://\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, endpoint string) {
		scheme, address, err := transport.Split(endpoint)
		if err == nil {
			if scheme == "" || address == "" || scheme+"://"+address != endpoint {
				t.Fatalf("Split(%q) = %q, %q", endpoint, scheme, address)
			}
			return
		}
		var wrong *transport.EndpointError
		if !errors.As(err, &wrong) || wrong.Endpoint != endpoint || wrong.Part == "" || wrong.Reason == "" {
			t.Fatalf("Split(%q): %#v, want a complete EndpointError", endpoint, err)
		}
	})
}
