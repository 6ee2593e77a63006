package main

import (
	"context"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// runHere runs the program to its end.
func runHere(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	var out, errs strings.Builder
	code = run(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestWrongArguments(t *testing.T) {
	const tcp = "tcp://127.0.0.1:5555"
	tests := []struct {
		args []string
		want string // regular expression, of what was wrong and what is accepted
	}{
		{nil, `no command given, accepted are local_thr, remote_thr, local_lat, remote_lat`},
		{[]string{"outproc_thr", "1", "2"}, `no command "outproc_thr", accepted are local_thr, `},
		{[]string{"inproc_thr", "1"}, `got 1 arguments .*, want 2: <message-size> <message-count>`},
		{[]string{"inproc_lat", "inproc://x", "1", "2"}, `<message-size> is "inproc://x", want a number`},
		{[]string{"proxy_thr", "1", "1"}, `<message-count> is "1", want a number from 2 to`},
		{[]string{"inproc_lat", "1", "2", "--lib", "net"}, `--lib net cannot play inproc_lat, accepted are ringwire, libzmq, pebbe, mangos$`},
		{[]string{"inproc_thr", "1", "2", "--lib", "go-zeromq"}, `--lib go-zeromq cannot play inproc_thr, accepted are ringwire, libzmq, pebbe, mangos$`},
		{[]string{"proxy_thr", "1", "2", "--lib", "mangos"}, `--lib mangos cannot play proxy_thr, accepted are ringwire, libzmq$`},
		{[]string{"local_thr", "ipc://*", "1", "2", "--lib", "mangos"}, `<bind-to> is "ipc://\*", but mangos has no such wildcard, accepted are`},
		{[]string{"local_thr", tcp, "1", "2", "--lib", "net", "--spin-off"}, `--spin-off is for --lib ringwire only`},
		{[]string{"local_thr", tcp, "1", "2", "--lib", "mangos", "--curve"}, `--curve is for --lib ringwire and libzmq only`},
		{[]string{"inproc_thr", "1", "2", "--curve"}, `-curve.*accepted flags of inproc_thr are`},
		{[]string{"remote_thr", tcp, "1", "2", "--json"}, `-json.*accepted flags of remote_thr are --lib, --spin-off, --cpuprofile, --stats, --curve, --help`},
		{[]string{"--nonsense"}, `-nonsense.*accepted flags of benchmarks are `},
		{[]string{"local_thr"}, `got 0 arguments \[\], want 3: <bind-to> <message-size> <message-count>`},
		{[]string{"remote_thr", tcp, "64"}, `got 2 arguments .*, want 3: <connect-to> <message-size> <message-count>`},
		{[]string{"local_lat", tcp, "64", "1", "2"}, `got 4 arguments .*, want 3: <bind-to> <message-size> <roundtrip-count>`},
		{[]string{"remote_lat", tcp, "64", "1", "2"}, `got 4 arguments .*, want 3: <connect-to> <message-size> <roundtrip-count>`},
		{[]string{"local_thr", "127.0.0.1:5555", "64", "10"}, `<bind-to>: .*scheme.*accepted are tcp://host:port and ipc://path`},
		{[]string{"local_thr", "udp://127.0.0.1:5555", "64", "10"}, `unknown scheme "udp", accepted are tcp://host:port and ipc://path`},
		{[]string{"local_thr", "inproc://x", "64", "10"}, `inproc does not reach .* accepted are tcp://host:port and ipc://path`},
		{[]string{"remote_thr", "tcp://127.0.0.1:*", "64", "10"}, `<connect-to>: .*port.*accepted are`},
		{[]string{"remote_thr", "ipc://*", "64", "10"}, `<connect-to>: .*path.*accepted are`},
		{[]string{"local_thr", "tcp://127.0.0.1:70000", "64", "10"}, `<bind-to>: .*port.*accepted are`},
		{[]string{"local_thr", tcp, "-64", "10"}, `<message-size> is "-64", want a number from 0 to 1073741824`},
		{[]string{"local_thr", tcp, "-64", "10", "--lib", "ringwire"}, `<message-size> is "-64", want a number`},
		{[]string{"local_thr", tcp, "1073741825", "10"}, `<message-size> is "1073741825", want a number from 0 to 1073741824`},
		{[]string{"local_thr", tcp, "big", "10"}, `<message-size> is "big", want a number`},
		{[]string{"local_thr", tcp, "64", "0"}, `<message-count> is "0", want a number from 2 to 2147483647`},
		{[]string{"local_thr", tcp, "64", "1"}, `<message-count> is "1", want a number from 2 to`},
		{[]string{"remote_thr", tcp, "64", "0"}, `<message-count> is "0", want a number from 1 to`},
		{[]string{"remote_thr", tcp, "64", "-1"}, `<message-count> is "-1", want a number from 1 to`},
		{[]string{"local_lat", tcp, "64", "0"}, `<roundtrip-count> is "0", want a number from 1 to`},
		{[]string{"remote_lat", tcp, "64", "99999999999999999999"}, `<roundtrip-count> is "99999999999999999999", want a number from 1 to`},
		{[]string{"local_thr", tcp, "64", "10", "--lib", "nanomsg"}, `--lib is "nanomsg", accepted are ringwire, libzmq, pebbe, go-zeromq, mangos, net$`},
		{[]string{"local_thr", tcp, "64", "10", "--fast"}, `-fast.*accepted flags of local_thr are --lib, --spin-off, --cpuprofile, --stats, --curve`},
		{[]string{"local_thr", tcp, "64", "10", "--lib"}, `--lib; accepted flags of local_thr are`},
		{[]string{"local_thr", tcp, "64", "10", "--cpuprofile="}, `--cpuprofile is empty, want the name of a file`},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			wantUsageError(t, test.want, test.args...)
		})
	}
}

func wantUsageError(t *testing.T, want string, args ...string) {
	t.Helper()
	code, stdout, stderr := runHere(t, args...)
	if code != exitUsage || stdout != "" {
		t.Errorf("got exit code %d and stdout %q, want %d and nothing", code, stdout, exitUsage)
	}
	if !regexp.MustCompile(`(?m)^benchmarks: .*`+want).MatchString(stderr) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("got stderr %q, want one line that matches %q", stderr, want)
	}
}

func TestLibzmqOptions(t *testing.T) {
	for _, name := range []string{"libzmq", "pebbe"} {
		args := []string{"remote_thr", "tcp://127.0.0.1:5555", "64", "10", "--lib", name}
		if !slices.Contains(libraries(), name) {
			wantUsageError(t, `--lib `+name+` is not part of this build, accepted are ringwire, go-zeromq, mangos, net; .*libzmq3-dev.* go run -tags libzmq`, args...)
			continue
		}
		wantUsageError(t, `--spin-off is for --lib ringwire only`, append(args, "--spin-off")...)
		wantUsageError(t, `--stats is for --lib ringwire only`, append(args, "--stats")...)
	}
}

func TestHelp(t *testing.T) {
	for command, want := range map[string]string{
		"":          "local_thr",
		"local_thr": "ringwire, libzmq, pebbe, go-zeromq do",
		"suite":     "3 a requirement was missed",
		"compare":   "2 wrong arguments",
	} {
		args := strings.Fields(command + " --help")
		code, stdout, stderr := runHere(t, args...)
		if code != exitOK || stderr != "" || !strings.Contains(stdout, want) {
			t.Errorf("%q: got exit code %d, stderr %q and stdout %q, want %d, nothing and a text with %q", args, code, stderr, stdout, exitOK, want)
		}
	}
}

// What goes wrong while running is exit code 1.
func TestRuntimeErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	endpoint := "tcp://" + taken.Addr().String()
	for _, lib := range libraries() {
		code, stdout, stderr := runHere(t, "local_thr", endpoint, "64", "10", "--lib", lib)
		if want := regexp.MustCompile(`^benchmarks: local_thr: .*` + regexp.QuoteMeta(endpoint) + `: .*(?i:address already in use)\n$`); code != exitFailure || stdout != "" || !want.MatchString(stderr) {
			t.Errorf("%s: got exit code %d, stdout %q and stderr %q, want %d, nothing and a match of %q", lib, code, stdout, stderr, exitFailure, want)
		}
	}
	missing := filepath.Join(t.TempDir(), "missing", "cpu.prof")
	code, _, stderr := runHere(t, "local_thr", endpoint, "64", "10", "--cpuprofile", missing)
	if code != exitFailure || !strings.Contains(stderr, "create CPU profile: open "+missing) {
		t.Errorf("got exit code %d and stderr %q, want %d and that %s cannot be opened", code, stderr, exitFailure, missing)
	}
}

// Sides that were started with different sizes notice.
func TestSizeMismatch(t *testing.T) {
	for _, lib := range libraries() {
		t.Run(lib, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), hang)
			defer cancel()
			l := start(ctx, "local_thr", "tcp://127.0.0.1:*", "64", "10", "--lib", lib)
			r := start(ctx, "remote_thr", l.stderr.bound(ctx, t), "63", "1", "--lib", lib)
			if code := <-l.code; code != exitFailure || !strings.Contains(l.stderr.String(), "message 1 of 10 has 63 bytes, want 64: both sides") {
				t.Errorf("got exit code %d and stderr %q, want %d and both sizes", code, l.stderr, exitFailure)
			}
			if code := <-r.code; code != exitOK {
				t.Errorf("got exit code %d and stderr %q, want %d", code, r.stderr, exitOK)
			}
		})
	}
}
