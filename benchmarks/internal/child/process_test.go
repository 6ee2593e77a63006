package child_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/benchmarks/internal/child"
)

// guard is a bound for what takes a moment.
const guard = 20 * time.Second

// TestMain is the child process, too: it does what its argument says.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "child" {
		os.Exit(play(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}

type answer struct{ N int }

func play(part string) int {
	switch part {
	case "count":
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			fmt.Printf(`{"N":%d}`+"\n", len(lines.Text()))
		}
		return 0
	case "panic":
		fmt.Fprintf(os.Stderr, "something broke\n\ngoroutine 1 [running]:\n%s", strings.Repeat("x", 1<<20))
		return 2
	case "traceback":
		fmt.Fprint(os.Stderr, "Traceback (most recent call last):\n  File 1\nValueError: no\n")
		return 1
	case "babble":
		fmt.Println("hello")
	}
	<-time.After(time.Hour) // deaf
	return 0
}

func start(t *testing.T, ctx context.Context, part string) *child.Process[answer] {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := child.Start[answer](ctx, program, "child", part)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func TestProcessAnswers(t *testing.T) {
	p := start(t, t.Context(), "count")
	for _, said := range []string{"a", "", "abc"} {
		if _, err := fmt.Fprintln(p.Input, said); err != nil {
			t.Fatal(err)
		}
		if a, ok := <-p.Answers; !ok || a.N != len(said) {
			t.Errorf("said %q: got answer %v, %t, want %d", said, a, ok, len(said))
		}
	}
	p.Close(guard)
	if err := p.End(); err != nil {
		t.Errorf("got end %v, want it in order", err)
	}
	if a, ok := <-p.Answers; ok {
		t.Errorf("got answer %v of a process that is gone", a)
	}
}

func TestProcessComplains(t *testing.T) {
	for part, want := range map[string]string{
		"panic":     "worker ended: exit status 2: something broke",
		"traceback": "worker ended: exit status 1: ValueError: no",
	} {
		p := start(t, t.Context(), part)
		p.End()
		if _, said, _ := strings.Cut(want, "exit status"); !strings.HasSuffix(said, ": "+p.Complaint()) || p.Complaint() == "" {
			t.Errorf("%s: got complaint %q, want the one of %q", part, p.Complaint(), want)
		}
		if err := p.Ended(); err.Error() != want {
			t.Errorf("%s: got %q, want %q", part, err, want)
		}
	}
}

// However it is to end, it ends.
func TestProcessEnds(t *testing.T) {
	for name, do := range map[string]func(p *child.Process[answer], cancel func()){
		"Kill":           func(p *child.Process[answer], _ func()) { p.Kill() },
		"Close":          func(p *child.Process[answer], _ func()) { p.Close(time.Millisecond) },
		"Ended":          func(p *child.Process[answer], _ func()) { p.Ended() },
		"the context":    func(_ *child.Process[answer], cancel func()) { cancel() },
		"killed from it": func(p *child.Process[answer], _ func()) { kill(t, p.Pid()) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		p := start(t, ctx, "deaf")
		do(p, cancel)
		if err := p.End(); err == nil {
			t.Errorf("%s: got end %v, want that it was killed", name, err)
		}
		cancel()
	}
	p := start(t, t.Context(), "babble")
	if err := p.End(); err == nil {
		t.Errorf("what is no answer: got end %v, want that it was killed", err)
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestStartOfNothing(t *testing.T) {
	if _, err := child.Start[answer](t.Context(), t.TempDir()); err == nil {
		t.Error("got nil, want an error")
	}
}
