package transporttest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/tcp"
	"github.com/ringwire/ringwire/transport/transporttest"
)

// faulty is TCP that breaks rules, one at a time.
type faulty struct {
	tcp.Transport
	fault string
}

func (f faulty) Check(address string, bind bool) error {
	if f.fault == "checks nothing" {
		return nil
	}
	if f.fault == "checks by dialing" && !bind && f.Transport.Check(address, bind) == nil {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	return f.Transport.Check(address, bind)
}

func (f faulty) Dial(ctx context.Context, address string, opts *transport.Options) (net.Conn, error) {
	dialing := ctx
	if f.fault == "dials without context" {
		dialing = context.WithoutCancel(ctx)
	}
	conn, err := f.Transport.Dial(dialing, address, opts)
	if err != nil {
		return nil, err
	}
	if f.fault == "ties the connection to the context" {
		context.AfterFunc(ctx, func() { conn.Close() })
	}
	return &faultyConn{conn.(*net.TCPConn), f.fault}, nil
}

func (f faulty) Listen(ctx context.Context, address string, opts *transport.Options) (transport.Listener, error) {
	l, err := f.Transport.Listen(ctx, address, opts)
	if err != nil {
		return nil, err
	}
	return &faultyListener{l, f.fault}, nil
}

type faultyConn struct {
	*net.TCPConn
	fault string
}

func (c *faultyConn) Write(data []byte) (int, error) {
	if c.fault == "flips a bit" {
		data = slices.Clone(data)
		data[len(data)-1] ^= 1
	}
	return c.TCPConn.Write(data)
}

func (c *faultyConn) Read(data []byte) (int, error) {
	n, err := c.TCPConn.Read(data)
	if c.fault == "hides the kind of errors" && err != nil && err != io.EOF {
		err = errors.New(err.Error())
	}
	return n, err
}

func (c *faultyConn) CloseWrite() error {
	if c.fault == "half close closes all" {
		return c.Close()
	}
	return c.TCPConn.CloseWrite()
}

type faultyListener struct {
	transport.Listener
	fault string
}

func (l *faultyListener) Endpoint() string {
	if l.fault == "reports the address asked for" {
		return "127.0.0.1:0"
	}
	return l.Listener.Endpoint()
}

func (l *faultyListener) Close() error {
	err := l.Listener.Close()
	if l.fault == "closes twice" {
		return nil
	}
	return err
}

const (
	faultVariable = "RINGWIRE_TRANSPORTTEST_FAULT"
	sound         = "none"
)

func address(*testing.T) string { return "127.0.0.1:0" }

// TestFaulty is what TestKitFindsFaults runs in a process of its own, because
// it has to fail there.
func TestFaulty(t *testing.T) {
	fault := os.Getenv(faultVariable)
	if fault == "" {
		fault = sound
	}
	transporttest.Run(t, faulty{fault: fault}, address)
}

// TestKitFindsFaults breaks one rule at a time and expects the kit to fail, and
// to name the rule.
func TestKitFindsFaults(t *testing.T) {
	for fault, rule := range map[string]string{
		"checks nothing":                     "a bad address is refused by Check",
		"checks by dialing":                  "Check does no I/O",
		"dials without context":              "a dial whose context is done fails",
		"ties the connection to the context": "cancelling the context after a dial",
		"flips a bit":                        "bytes arrive unchanged",
		"hides the kind of errors":           "a deadline in the past wakes",
		"half close closes all":              "half close ends one direction",
		"reports the address asked for":      "Endpoint can be dialed",
		"closes twice":                       "closing a listener twice",
	} {
		t.Run(fault, func(t *testing.T) {
			command := exec.Command(os.Args[0], "-test.run=^TestFaulty$")
			command.Env = append(os.Environ(), faultVariable+"="+fault)
			output, err := command.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("the kit passed a transport that %s: %v\n%s", fault, err, output)
			}
			if want := "--- FAIL: TestFaulty/" + strings.ReplaceAll(rule, " ", "_"); !strings.Contains(string(output), want) {
				t.Errorf("the kit did not name the rule %q:\n%s", rule, output)
			}
		})
	}
}
