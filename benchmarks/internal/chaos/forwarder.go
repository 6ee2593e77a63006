package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// kinds are which kind of forwarder stands between the two of a pattern.
var kinds = map[Pattern]string{PushPull: "streamer", PubSub: "forwarder", ReqRep: "queue", DealerRouter: "queue"}

// forwarder is device/forwarder, a process between the sender and the receiver.
type forwarder struct {
	command *exec.Cmd
	exited  chan struct{} // closed when it is gone
	admin   string        // where it answers
	stderr  bytes.Buffer  // to be read when it is gone
}

// adminWord is how its first line ends.
var adminWord = regexp.MustCompile(`http://\S+`)

// startForwarder starts one, and returns when it says that it is there.
func startForwarder(ctx context.Context, program string, p Pattern, front, back string) (*forwarder, error) {
	args := []string{"--kind", kinds[p], "--frontend", front, "--backend", back, "--admin", "127.0.0.1:0", "--log-level", "error"}
	if p == PubSub {
		args = append(args, "--on-full", "block") // what it drops would die with it
	}
	f := &forwarder{command: exec.CommandContext(ctx, program, args...), exited: make(chan struct{})}
	f.command.Stderr = &f.stderr
	// A pipe of our own: Wait must not close it before the line is read.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the forwarder: %w", err)
	}
	defer r.Close()
	f.command.Stdout = w
	err = f.command.Start()
	w.Close()
	if err != nil {
		return nil, fmt.Errorf("start the forwarder: %w", err)
	}
	go func() {
		defer close(f.exited)
		_ = f.command.Wait() // how it ended is in the state of the process
	}()
	hangs := time.AfterFunc(answering, func() { _ = f.command.Process.Kill() })
	defer hangs.Stop()
	line, err := bufio.NewReader(r).ReadString('\n')
	f.admin = adminWord.FindString(line)
	if err != nil || f.admin == "" {
		f.kill()
		return nil, fmt.Errorf("start the forwarder: it says %q and %q", line, f.stderr.String())
	}
	return f, nil
}

// kill ends it without a word.
func (f *forwarder) kill() {
	_ = f.command.Process.Kill() // it may have ended
	<-f.exited
}

// finish has it deliver what it has, and end.
func (f *forwarder) finish() error {
	if err := f.command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("end the forwarder: %w", err)
	}
	hangs := time.AfterFunc(answering, f.kill)
	defer hangs.Stop()
	<-f.exited
	if code := f.command.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the forwarder ended with code %d: %s", code, f.stderr.String())
	}
	return nil
}

// account is what a forwarder says about itself, the part that is judged.
type account struct {
	Time              time.Time
	Forward, Backward passage
	Frontend, Backend balance
}

// passage is what went one way.
type passage struct {
	Received int64 `json:"received_messages"`
	Sent     int64 `json:"sent_messages"`
	Refused  int64 `json:"refused_messages"`
	Dropped  int64 `json:"dropped_messages"`
	InHand   int64 `json:"in_hand_messages"`
}

// balance is what one of its sockets counted.
type balance struct {
	Send struct {
		Accepted, Written, Queued int64
		InDoubt                   int64 `json:"in_doubt"`
		Dropped                   map[string]int64
	}
	Recv struct {
		Arrived, Returned, Queued int64
		Dropped                   map[string]int64
	}
}

// ask returns its account of now, which it renews twice a second.
func (f *forwarder) ask(ctx context.Context) (*account, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: answering}
	began := time.Now()
	for time.Since(began) < answering {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.admin+"/stats.json", nil)
		if err != nil {
			return nil, err
		}
		answer, err := client.Do(request)
		if err != nil {
			return nil, fmt.Errorf("ask the forwarder: %w", err)
		}
		var a account
		err = json.NewDecoder(answer.Body).Decode(&a)
		answer.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("ask the forwarder: %w", err)
		}
		if a.Time.After(began) {
			return &a, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, errors.New("ask the forwarder: its account is not renewed")
}

// lost is what it tells to have lost of what went forward and backward: dropped, or
// written to a connection that ended without a receipt.
func (a *account) lost() [2]int64 {
	forward := a.Frontend.Recv.Dropped["total"] + a.Forward.Refused + a.Forward.Dropped + a.Backend.Send.Dropped["total"] + a.Backend.Send.InDoubt
	backward := a.Backend.Recv.Dropped["total"] + a.Backward.Refused + a.Backward.Dropped + a.Frontend.Send.Dropped["total"] + a.Frontend.Send.InDoubt
	return [2]int64{forward, backward}
}

// check says which laws its account breaks when nothing is on its way.
func (a *account) check() (broken []string) {
	for i, d := range []passage{a.Forward, a.Backward} {
		way := []string{"forward", "backward"}[i]
		if d.Received != d.Sent+d.Refused+d.Dropped+d.InHand {
			broken = append(broken, fmt.Sprintf("the forwarder: %s, received %d is not sent %d + refused %d + dropped %d + in hand %d", way, d.Received, d.Sent, d.Refused, d.Dropped, d.InHand))
		}
	}
	for i, s := range []balance{a.Frontend, a.Backend} {
		side := []string{"frontend", "backend"}[i]
		if o := &s.Send; o.Accepted != o.Written+o.Dropped["total"]+o.Queued {
			broken = append(broken, fmt.Sprintf("the forwarder: %s, accepted %d is not written %d + dropped %d + queued %d", side, o.Accepted, o.Written, o.Dropped["total"], o.Queued))
		}
		if o := &s.Recv; o.Arrived != o.Returned+o.Dropped["total"]+o.Queued {
			broken = append(broken, fmt.Sprintf("the forwarder: %s, arrived %d is not returned %d + dropped %d + queued %d", side, o.Arrived, o.Returned, o.Dropped["total"], o.Queued))
		}
	}
	return broken
}
