package main

import (
	"bytes"
	"context"
	"errors"
	"log"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const interval = 20 * time.Millisecond

// lines checks that the lines come in this order among others, and that by what the
// servers said no two of them were active at any time.
func lines(t *testing.T, out string, want ...string) {
	t.Helper()
	is := make(map[string]string)
	for line := range strings.Lines(out) {
		if server, rest, found := strings.Cut(line, ": "); found {
			is[server], _, _ = strings.Cut(rest, ",")
		}
		if line == "the primary dies\n" {
			delete(is, "primary")
		}
		if is["primary"] == "active" && is["backup"] == "active" {
			t.Fatalf("both are active after %q in:\n%s", line, out)
		}
	}
	rest := out
	for _, line := range want {
		_, after, found := strings.Cut(rest, line+"\n")
		if !found {
			t.Fatalf("got no %q, in this order, in:\n%s", line, out)
		}
		rest = after
	}
}

// TestExactlyOneIsActive: also while the two do not hear each other, and when one has
// died; and the client always gets its answer from that one.
func TestExactlyOneIsActive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of the bubble's clock
		defer cancel()
		var out bytes.Buffer
		if err := run(ctx, interval, &out); err != nil {
			t.Fatalf("%v after:\n%s", err, out.String())
		}
		lines(t, out.String(),
			"client: one is answered by the primary",
			"the link between the two is cut for ten heartbeats",
			"client: two is answered by the primary",
			"the primary dies",
			"backup: active, because its peer is silent and a client votes for it",
			"client: three is answered by the backup",
			"the primary is started again",
			"primary: passive, because its peer is active",
			"client: four is answered by the backup",
		)
	})
}

// onStage runs test with both servers, of which the primary is active.
func onStage(t *testing.T, test func(s *stage, primary, backup *server)) (out string) {
	t.Helper()
	var b bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of the bubble's clock
		defer cancel()
		s := newStage(ctx, interval, log.New(&b, "", 0))
		defer s.close()
		one, two := s.start(primary), s.start(backup)
		if err := errors.Join(one.wait(ctx, active), two.wait(ctx, passive)); err != nil {
			t.Fatal(err)
		}
		test(s, one, two)
	})
	return b.String()
}

func ask(t *testing.T, s *stage, host string, patience time.Duration, servers ...string) (string, error) {
	t.Helper()
	for i, server := range servers {
		servers[i] = "mem://" + server + ":1"
	}
	c, err := newClient(servers, s.at(host))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	return c.ask(ctx, "it")
}

// TestAVoteIsNotEnough: a client that cannot reach the active server does not make the
// other one active while that one hears its peer.
func TestAVoteIsNotEnough(t *testing.T) {
	out := onStage(t, func(s *stage, primary, backup *server) {
		s.network.Partition("client", "primary")
		if answer, err := ask(t, s, "client", 100*interval, "primary", "backup"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %q, %v, want no answer", answer, err)
		}
		s.network.Heal("client", "primary")
		if answer, err := ask(t, s, "client", 100*interval, "backup", "primary"); err != nil || answer != "it is answered by the primary" {
			t.Errorf("got %q, %v, want an answer of the primary", answer, err)
		}
	})
	lines(t, out)
}

// TestSilenceIsNotEnough: a server that does not hear its peer stays passive without a
// vote, however long that lasts.
func TestSilenceIsNotEnough(t *testing.T) {
	out := onStage(t, func(s *stage, primary, backup *server) {
		s.network.Partition("primary", "backup")
		time.Sleep(100 * interval)
		if got, want := [2]state{primary.current(), backup.current()}, [2]state{active, passive}; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	lines(t, out)
}

// TestSplitBrainIsFound: the one case that votes do not exclude does not go unnoticed.
func TestSplitBrainIsFound(t *testing.T) {
	out := onStage(t, func(s *stage, primary, backup *server) {
		s.network.Partition("primary", "backup")
		time.Sleep(100 * interval)
		for host, server := range map[string]string{"here": "primary", "there": "backup"} {
			if answer, err := ask(t, s, host, 100*interval, server); err != nil {
				t.Errorf("%s: got %q, %v, want an answer", host, answer, err)
			}
		}
		s.network.Heal("primary", "backup")
		time.Sleep(100 * interval)
	})
	// The one that hears it first ends, perhaps before the other one does.
	if !strings.Contains(out, ": "+errSplitBrain.Error()) {
		t.Errorf("neither server ended in:\n%s", out)
	}
}

// TestRules: every state with every state of the peer, and every vote.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		own  state
		peer state
		want state
		err  error
	}{
		{primary, primary, primary, nil}, {primary, backup, active, nil}, {primary, active, passive, nil}, {primary, passive, primary, nil},
		{backup, primary, backup, nil}, {backup, backup, backup, nil}, {backup, active, passive, nil}, {backup, passive, backup, nil},
		{active, primary, active, nil}, {active, backup, active, nil}, {active, active, active, errSplitBrain}, {active, passive, active, nil},
		{passive, primary, active, nil}, {passive, backup, active, nil}, {passive, active, passive, nil}, {passive, passive, passive, errNobody},
		{passive, 0, passive, nil}, {passive, 5, passive, nil},
	} {
		if got, err := hear(c.own, c.peer); got != c.want || err != c.err {
			t.Errorf("hear(%v, %v): got %v, %v, want %v, %v", c.own, c.peer, got, err, c.want, c.err)
		}
	}
	for _, c := range []struct {
		own     state
		silent  bool
		want    state
		answers bool
	}{
		{primary, false, primary, false}, {primary, true, active, true},
		{backup, false, backup, false}, {backup, true, backup, false},
		{active, false, active, true}, {active, true, active, true},
		{passive, false, passive, false}, {passive, true, active, true},
	} {
		if got, answers := vote(c.own, c.silent); got != c.want || answers != c.answers {
			t.Errorf("vote(%v, %v): got %v, %v, want %v, %v", c.own, c.silent, got, answers, c.want, c.answers)
		}
	}
}
