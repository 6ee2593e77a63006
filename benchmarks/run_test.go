package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// hang bounds a run that takes well under a second.
const hang = 30 * time.Second

// output collects what a tool writes, and can be waited for.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{} // closed and replaced at each Write
}

func newOutput() *output { return &output{written: make(chan struct{})} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.written)
	o.written = make(chan struct{})
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// bound waits for the endpoint that a binding tool reports.
func (o *output) bound(ctx context.Context, t *testing.T) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^bound to (\S+)$`)
	for {
		o.mu.Lock()
		found, written := line.FindStringSubmatch(o.text.String()), o.written
		o.mu.Unlock()
		if found != nil {
			return found[1]
		}
		select {
		case <-written:
		case <-ctx.Done():
			t.Fatalf("got stderr %q, want a line %q", o, line)
		}
	}
}

// process is one run of the program.
type process struct {
	stdout, stderr *output
	code           chan int
}

func start(ctx context.Context, args ...string) *process {
	p := &process{stdout: newOutput(), stderr: newOutput(), code: make(chan int, 1)}
	go func() { p.code <- run(ctx, args, p.stdout, p.stderr) }()
	return p
}

// pair runs a binding tool and a connecting one, which gets the port when the
// endpoint has a wildcard for it.
func pair(t *testing.T, bind string, local, remote []string) (l, r *process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	l, r = startPair(ctx, t, bind, local, remote)
	wantSuccess(t, r)
	wantSuccess(t, l)
	return l, r
}

func wantSuccess(t *testing.T, p *process) {
	t.Helper()
	if code := <-p.code; code != exitOK {
		t.Errorf("got exit code %d and stderr %q, want %d", code, p.stderr, exitOK)
	}
}

func startPair(ctx context.Context, t *testing.T, bind string, local, remote []string) (l, r *process) {
	t.Helper()
	l = start(ctx, append([]string{local[0], bind}, local[1:]...)...)
	endpoint := bind
	if strings.HasSuffix(bind, "*") {
		endpoint = l.stderr.bound(ctx, t)
	}
	r = start(ctx, append([]string{remote[0], endpoint}, remote[1:]...)...)
	return l, r
}

func wantOutput(t *testing.T, got *output, want string) {
	t.Helper()
	if !regexp.MustCompile(`^` + want + `$`).MatchString(got.String()) {
		t.Errorf("got stdout %q, want a match of %q", got, want)
	}
}

// libraries are those that are part of this build.
func libraries() []string {
	var names []string
	for _, k := range libraryKinds() {
		lib, err := k.begin()
		if errors.Is(err, errNotBuilt) {
			continue
		}
		names = append(names, k.name)
		if err == nil {
			lib.close(context.Background(), &job{}) // it has done nothing yet
		}
	}
	return names
}

// talks says whether two libraries have a wire in common: all but two of them
// that of ZeroMQ.
func talks(a, b string) bool { return a == b || !ownWire(a) && !ownWire(b) }

func ownWire(name string) bool { return name == "mangos" || name == "net" }

// partner is the library on the other side when that is not the subject.
func partner(name string) string {
	if ownWire(name) {
		return name
	}
	return "ringwire"
}

func TestTools(t *testing.T) {
	for _, local := range libraries() {
		for _, remote := range libraries() {
			if !talks(local, remote) {
				continue
			}
			count := 2500
			if !isCore(local) || !isCore(remote) {
				count = 100
			}
			for _, scheme := range []string{"tcp", "ipc"} {
				if scheme == "ipc" && local == "libzmq" && remote == "libzmq" {
					// libzmq 4.3.4 loses messages here: its receiver, when it
					// has paused at its high-water mark, takes the hang-up of
					// a sender that has closed for the end of the data.
					continue
				}
				for _, size := range []int{0, 1, 64, 100_000} {
					t.Run(fmt.Sprintf("%s-%s/%s/%d", local, remote, scheme, size), func(t *testing.T) {
						bind := "tcp://127.0.0.1:*"
						if scheme == "ipc" {
							bind = "ipc://" + filepath.Join(shortDir(t), "s")
						}
						testThroughput(t, bind, local, remote, size, count)
						if local == "go-zeromq" && size == 0 {
							return // its REP takes an empty body for the end of the envelope
						}
						testLatency(t, bind, local, remote, size)
					})
				}
			}
		}
	}
}

// isCore says whether a library is fast enough for more messages.
func isCore(name string) bool { return name == "ringwire" || name == "libzmq" }

// A wildcard of ipc is replaced, too.
func TestIPCWildcard(t *testing.T) {
	pair(t, "ipc://*", []string{"local_thr", "8", "100"}, []string{"remote_thr", "8", "100"})
}

func testThroughput(t *testing.T, bind, local, remote string, size, count int) {
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	args := []string{fmt.Sprint(size), fmt.Sprint(count)}
	l, r := startPair(ctx, t, bind,
		append(append([]string{"local_thr"}, args...), "--lib", local),
		append(append([]string{"remote_thr"}, args...), "--lib="+remote))
	wantSuccess(t, l)
	if remote == "go-zeromq" && size == 0 && strings.HasPrefix(bind, "ipc:") {
		// It writes a body apart from its header, also one of no bytes. By then
		// the receiver may have the last message, and have closed: to a unix
		// socket without a peer even nothing cannot be written.
		if code := <-r.code; code != exitOK && (code != exitFailure || !strings.Contains(r.stderr.String(), "broken pipe")) {
			t.Errorf("got exit code %d and stderr %q, want %d, or %d and a broken pipe", code, r.stderr, exitOK, exitFailure)
		}
	} else {
		wantSuccess(t, r)
	}
	wantOutput(t, l.stdout, throughputLines(size, count))
	wantOutput(t, r.stdout, "")
}

// throughputLines are a regular expression of what throughput tools print.
func throughputLines(size, count int) string {
	megabits := `[1-9]\d*\.\d{3}|0\.\d{3}`
	if size == 0 {
		megabits = `0\.000`
	}
	return fmt.Sprintf(`message size: %d \[B\]
message count: %d
mean throughput: [1-9]\d* \[msg/s\]
mean throughput: (%s) \[Mb/s\]
`, size, count, megabits)
}

func testLatency(t *testing.T, bind, local, remote string, size int) {
	args := []string{fmt.Sprint(size), "50"}
	l, r := pair(t, bind,
		append(append([]string{"local_lat"}, args...), "--lib", local),
		append(append([]string{"remote_lat"}, args...), "--lib", remote))
	wantOutput(t, l.stdout, "")
	wantOutput(t, r.stdout, latencyLines(size, 50))
}

// latencyLines are a regular expression of what latency tools print.
func latencyLines(size, count int) string {
	number := `(0|[1-9]\d*)\.\d{3} \[us\]`
	lines := fmt.Sprintf("message size: %d \\[B\\]\nroundtrip count: %d\naverage latency: %s\npercentiles of it, half of a round trip each:\n", size, count, number)
	for _, p := range []struct {
		name  string
		least int
	}{{"p50", 2}, {"p90", 10}, {"p99", 100}, {`p99\.9`, 1000}, {`p99\.99`, 10_000}, {"max", 1}} {
		value := number
		if count < p.least {
			value = `n/a \(too few\)`
		}
		lines += fmt.Sprintf("%s latency: %s\n", p.name, value)
	}
	return lines
}

func TestInproc(t *testing.T) {
	for _, k := range libraryKinds() {
		if !k.inproc || !slices.Contains(libraries(), k.name) {
			continue
		}
		for _, size := range []int{0, 64, 100_000} {
			t.Run(fmt.Sprintf("%s/%d", k.name, size), func(t *testing.T) {
				wantRun(t, throughputLines(size, 1500), "inproc_thr", fmt.Sprint(size), "1500", "--lib", k.name)
				wantRun(t, latencyLines(size, 1500), "inproc_lat", fmt.Sprint(size), "1500", "--lib", k.name)
			})
		}
	}
}

func TestProxyThr(t *testing.T) {
	for _, k := range libraryKinds() {
		if !k.forwards || !slices.Contains(libraries(), k.name) {
			continue
		}
		for _, size := range []int{1, 1000} {
			t.Run(fmt.Sprintf("%s/%d", k.name, size), func(t *testing.T) {
				wantRun(t, throughputLines(size, 25_000), "proxy_thr", fmt.Sprint(size), "25000", "--lib", k.name)
			})
		}
	}
}

// wantRun runs a tool that is alone.
func wantRun(t *testing.T, want string, args ...string) {
	t.Helper()
	code, stdout, stderr := runHere(t, args...)
	if code != exitOK || stderr != "" || !regexp.MustCompile(`^`+want+`$`).MatchString(stdout) {
		t.Errorf("%q: got exit code %d, stderr %q and stdout %q, want %d, nothing and a match of %q", args, code, stderr, stdout, exitOK, want)
	}
}

// The figures in JSON are those of the lines.
func TestJSON(t *testing.T) {
	code, stdout, stderr := runHere(t, "inproc_thr", "64", "1000", "--json")
	var thr throughput
	if err := strictJSON(stdout, &thr); code != exitOK || stderr != "" || err != nil {
		t.Fatalf("got exit code %d, stderr %q, stdout %q and %v, want one JSON object", code, stderr, stdout, err)
	}
	perSecond := 999 / thr.Seconds
	want := throughput{"inproc_thr", "ringwire", 64, 1000, thr.Seconds, perSecond, perSecond * 512 / 1e6}
	if math.Abs(thr.PerSecond/want.PerSecond-1) > 1e-9 || math.Abs(thr.Megabits/want.Megabits-1) > 1e-9 {
		t.Errorf("got %+v, want %+v", thr, want)
	}
	thr.PerSecond, thr.Megabits = want.PerSecond, want.Megabits
	if thr != want || thr.Seconds <= 0 {
		t.Errorf("got %+v, want %+v", thr, want)
	}

	code, stdout, stderr = runHere(t, "inproc_lat", "64", "1000", "--json")
	var lat latency
	if err := strictJSON(stdout, &lat); code != exitOK || stderr != "" || err != nil {
		t.Fatalf("got exit code %d, stderr %q, stdout %q and %v, want one JSON object", code, stderr, stdout, err)
	}
	if lat.Tool != "inproc_lat" || lat.Library != "ringwire" || lat.Size != 64 || lat.Count != 1000 ||
		math.Abs(lat.Average/(lat.Seconds*1e6/2000)-1) > 1e-9 || lat.Average <= 0 || len(lat.Percentiles) != len(reportedPercents) {
		t.Fatalf("got %+v, want inproc_lat of ringwire, 64, 1000, an average of half of the seconds, and %d percentiles", lat, len(reportedPercents))
	}
	least := math.SmallestNonzeroFloat64
	for i, p := range lat.Percentiles {
		few := p.Percent == 99.99 // needs 10,000
		if p.Percent != reportedPercents[i] || few != (p.Micros == nil) || !few && *p.Micros < least {
			t.Errorf("got %s, want percents %v and latencies that rise", stdout, reportedPercents)
		}
		if !few {
			least = *p.Micros
		}
	}
}

// strictJSON reads one object and nothing else.
func strictJSON(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("more than one object: %v", err)
	}
	return nil
}

// The printed figures are those of libzmq's formulas.
func TestReports(t *testing.T) {
	out := newOutput()
	if err := reportThroughput(out, &job{size: 125, count: 1001}, 2*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	want := "message size: 125 [B]\nmessage count: 1001\nmean throughput: 500000 [msg/s]\nmean throughput: 500.000 [Mb/s]\n"
	if got := out.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// 990 round trips of 20 microseconds, and 10 of 520.
	trips := newRoundTrips()
	for i := range 1000 {
		nanoseconds := int64(20_000)
		if i%100 == 99 {
			nanoseconds = 520_000
		}
		trips.record([]int64{nanoseconds})
	}
	out = newOutput()
	if err := reportLatency(out, &job{size: 1, count: 1000}, trips); err != nil {
		t.Fatal(err)
	}
	want = `message size: 1 [B]
roundtrip count: 1000
average latency: 12.500 [us]
percentiles of it, half of a round trip each:
p50 latency: 10.000 [us]
p90 latency: 10.000 [us]
p99 latency: 10.000 [us]
p99.9 latency: 260.000 [us]
p99.99 latency: n/a (too few)
max latency: 260.000 [us]
`
	// A histogram has three digits.
	if got := regexp.MustCompile(`10\.00\d`).ReplaceAllString(regexp.MustCompile(`(259|260)\.\d{3}`).ReplaceAllString(out.String(), "260.000"), "10.000"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The clock of local_thr does not run before the first message.
func TestClockStartsAfterFirstMessage(t *testing.T) {
	for _, lib := range libraries() {
		t.Run(lib, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), hang)
			defer cancel()
			began := time.Now()
			l := start(ctx, "local_thr", "tcp://127.0.0.1:*", "8", "1000", "--lib", lib)
			endpoint := l.stderr.bound(ctx, t)
			<-time.After(300 * time.Millisecond) // what must not be measured
			r := start(ctx, "remote_thr", endpoint, "8", "1000", "--lib", partner(lib))
			if code := <-r.code; code != exitOK {
				t.Fatalf("got exit code %d, want 0: %s", code, r.stderr)
			}
			if code := <-l.code; code != exitOK {
				t.Fatalf("got exit code %d, want 0: %s", code, l.stderr)
			}
			total := time.Since(began)
			var size, count, perSecond int
			if _, err := fmt.Sscanf(l.stdout.String(), "message size: %d [B]\nmessage count: %d\nmean throughput: %d [msg/s]\n", &size, &count, &perSecond); err != nil {
				t.Fatalf("got %q: %v", l.stdout, err)
			}
			if measured := time.Duration(999 * float64(time.Second) / float64(perSecond)); measured > total-250*time.Millisecond {
				t.Errorf("got %v measured of %v, want at least the 250ms before the first message left out", measured, total)
			}
		})
	}
}

// Everything that was sent arrives, although remote_thr may have sent it all
// before anybody listens.
func TestRemoteThrDeliversBeforeItExits(t *testing.T) {
	for _, lib := range libraries() {
		t.Run(lib, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), hang)
			defer cancel()
			endpoint := "ipc://" + filepath.Join(shortDir(t), "s")
			r := start(ctx, "remote_thr", endpoint, "8", "500", "--lib", lib)
			l := start(ctx, "local_thr", endpoint, "8", "500", "--lib", partner(lib))
			if code := <-r.code; code != exitOK {
				t.Errorf("got exit code %d, want 0: %s", code, r.stderr)
			}
			if code := <-l.code; code != exitOK {
				t.Errorf("got exit code %d, want 0: %s", code, l.stderr)
			}
		})
	}
}

func TestStats(t *testing.T) {
	args := []string{"16", "300", "--stats", "--spin-off"}
	l, r := pair(t, "tcp://127.0.0.1:*", append([]string{"local_thr"}, args...), append([]string{"remote_thr"}, args...))
	for got, want := range map[*output]string{l.stderr: `"Returned":300,`, r.stderr: `"Written":300,`} {
		if line := regexp.MustCompile(`(?m)^stats: \{.*\}$`).FindString(got.String()); !strings.Contains(line, want) {
			t.Errorf("got stderr %q, want a line of stats with %s", got, want)
		}
	}
}

func TestCPUProfile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cpu.prof")
	pair(t, "tcp://127.0.0.1:*", []string{"local_thr", "16", "300", "--cpuprofile", file}, []string{"remote_thr", "16", "300"})
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if gzip := []byte{0x1f, 0x8b}; !bytes.HasPrefix(b, gzip) {
		t.Errorf("got a profile of %d bytes %.20q, want one that starts with %q", len(b), b, gzip)
	}
}

// shortDir is a directory whose name leaves room in the path of a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "b")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// A tool that is interrupted while it waits for its peer ends with an error.
func TestInterrupted(t *testing.T) {
	for _, lib := range libraries() {
		for _, tool := range []string{"local_thr", "local_lat", "remote_lat", "remote_thr"} {
			t.Run(lib+"/"+tool, func(t *testing.T) {
				nobody, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer nobody.Close() // never accepts
				ctx, cancel := context.WithCancel(t.Context())
				endpoint, bind := "tcp://"+nobody.Addr().String(), strings.HasPrefix(tool, "local")
				if bind {
					endpoint = "tcp://127.0.0.1:*"
				}
				p := start(ctx, tool, endpoint, "8", "1000000", "--lib", lib)
				if bind {
					guard, stop := context.WithTimeout(t.Context(), hang)
					defer stop()
					p.stderr.bound(guard, t)
				}
				cancel()
				select {
				case code := <-p.code:
					if code != exitFailure || !strings.Contains(p.stderr.String(), "interrupted: context canceled") {
						t.Errorf("got exit code %d and stderr %q, want %d and that it was interrupted", code, p.stderr, exitFailure)
					}
				case <-time.After(hang):
					t.Fatal("got no end after being interrupted")
				}
			})
		}
	}
}
