package chaos

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// away is how long a process is gone or stands still.
const away = 700 * time.Millisecond

// recipe is a scenario for any pattern and library.
type recipe struct {
	fault   Fault
	variant string
	what    string
	ipc     bool // over ipc, too
	only    []Pattern
	not     []Pattern
	ours    string // why only our library can
	change  func(*Scenario)
	begin   func(*stage) error
	inject  func(*stage) error
}

// heartbeats has both sides notice a silent peer.
func heartbeats(s *Scenario) {
	s.Settings.HeartbeatInterval, s.Settings.HeartbeatTimeout = 100*time.Millisecond, 250*time.Millisecond
}

// between has a forwarder between the two.
func between(s *Scenario) { s.Between = true }

func recipes() []recipe {
	return []recipe{
		{fault: Calm, what: "nothing happens", ipc: true},
		{fault: F01, variant: "receiver", what: "kill -9 of the receiver, which is started again", ipc: true, inject: killed(false)},
		{fault: F01, variant: "sender", what: "kill -9 of the sender, which is started again", ipc: true, inject: killed(true)},
		{fault: F01, variant: "behind", what: "kill -9 of the receiver behind a forwarder, which is started again", not: []Pattern{PairPair}, change: between, inject: killed(false)},
		{fault: F01, variant: "before", what: "kill -9 of the sender before a forwarder, which is started again", not: []Pattern{PairPair}, change: between, inject: killed(true)},
		{fault: F02, what: "SIGSTOP of the receiver", ipc: true, inject: func(st *stage) error { return st.frozen(away, st.receiver) }},
		{fault: F03, what: "the cable is pulled for 100 ms", change: func(s *Scenario) { s.Islands = true; heartbeats(s) }, inject: pulled(100 * time.Millisecond)},
		{fault: F03, variant: "delay", what: "everything is 50 ms late", inject: func(st *stage) error {
			st.proxy.Delay(50 * time.Millisecond)
			time.Sleep(away)
			st.proxy.Delay(0)
			return nil
		}},
		{fault: F04, what: "the cable is pulled for longer than the heartbeat allows", change: func(s *Scenario) { s.Islands = true; heartbeats(s) }, inject: pulled(1500 * time.Millisecond)},
		{fault: F04, variant: "full", what: "the cable is pulled while the receiver reads nothing and the sender cannot write", not: []Pattern{ReqRep}, change: func(s *Scenario) {
			s.Islands, s.Load.Body, s.Load.Burst = true, 4000, 40
			heartbeats(s)
		}, inject: pulledFull},
		{fault: F05, what: "RST, five times", inject: func(st *stage) error {
			for range 5 {
				st.proxy.Reset()
				time.Sleep(50 * time.Millisecond)
			}
			return nil
		}},
		{fault: F05, variant: "behind", what: "RST while the receiving application is behind: the old connection's messages are still unread when the new one's come", inject: func(st *stage) error {
			_, err := st.receiver.do("pause", 0)
			if err != nil {
				return err
			}
			time.Sleep(30 * time.Millisecond) // less than fills a queue
			st.proxy.Reset()
			time.Sleep(100 * time.Millisecond)
			_, err = st.receiver.do("resume", 0)
			return err
		}},
		{fault: F06, what: "RST inside a message of many frames", change: func(s *Scenario) {
			s.Load.Frames, s.Load.Big, s.Load.Pause = 6, 300<<10, 2*time.Millisecond
		}, inject: func(st *stage) error {
			st.proxy.CutAfter(700_001)
			time.Sleep(away)
			st.proxy.CutAfter(0)
			return nil
		}},
		{fault: F07, variant: "route", what: "a blackhole in one direction, by a route", change: func(s *Scenario) { s.Islands = true; heartbeats(s) }, inject: func(st *stage) error {
			if err := st.world.blackhole(true); err != nil {
				return &skipError{err.Error()}
			}
			time.Sleep(1500 * time.Millisecond)
			return st.world.blackhole(false)
		}},
		{fault: F07, variant: "proxy", what: "nothing is passed on in one direction", change: heartbeats, inject: func(st *stage) error {
			st.proxy.Stall(Down, true)
			time.Sleep(2 * away)
			st.proxy.Stall(Down, false)
			return nil
		}},
		{fault: F08, what: "the receiving application reads nothing", ipc: true, change: heartbeats, inject: idle(2 * away)},
		{fault: F08, variant: "slow", what: "the network passes on 20 kB/s", inject: func(st *stage) error {
			st.proxy.Rate(20_000)
			time.Sleep(away)
			st.proxy.Rate(0)
			return nil
		}},
		{fault: F09, what: "the receiver closes in order, and is started again", ipc: true, inject: func(st *stage) error {
			st.finish(st.receiver, 100*time.Millisecond)
			time.Sleep(calm)
			return st.start(false)
		}},
		{fault: F10, what: "the name resolves to another address", ours: "its names come from the system's resolver, which is not ours to change",
			change: func(s *Scenario) { s.Moves = true; heartbeats(s) }, inject: moved},
		{fault: F11, what: "connected one second before it is bound", ipc: true, begin: func(st *stage) error {
			if err := st.start(!st.senderBinds()); err != nil {
				return err
			}
			time.Sleep(time.Second)
			return st.start(st.senderBinds())
		}},
		{fault: F12, what: "strangers send HTTP, half a greeting, and frames of impossible length", ipc: true, inject: strangers},
		{fault: F13, what: "one message over the receiver's limit", change: func(s *Scenario) { s.Settings.MaxMessageSize = 1 << 20 }, inject: func(st *stage) error {
			_, err := st.sender.do("oversize", 2<<20)
			time.Sleep(calm)
			return err
		}},
		{fault: F14, what: "the bound process may open no more files (prlimit), and its peer must come back", inject: exhausted},
		{fault: F15, what: "1000 connections that say nothing, and the peer must come back", inject: silent},
		{fault: F16, what: "the sender closes while it sends, and is started again", ipc: true, inject: func(st *stage) error {
			st.finish(st.sender, 50*time.Millisecond)
			return st.start(true)
		}},
		{fault: F17, what: "another process comes with the sender's identity", only: []Pattern{DealerRouter},
			change: func(s *Scenario) { s.Settings.Identity = "same" }, inject: collided},
		{fault: F18, what: "the authenticator refuses everybody for a second, under CURVE", ours: "its worker has no authenticator", change: encrypted, inject: refused},
		{fault: F18, variant: "keys", what: "the bound side, then the other, change to a new key of CURVE", ours: "its worker has no keys", change: encrypted, inject: rotated},
		{fault: F25, variant: "curve", what: "one byte in 20000 is changed, for 300 ms, under CURVE", ours: "its worker has no keys", change: encrypted, inject: corrupted},
		{fault: F19, what: "100 peers lose their connections at once", not: []Pattern{PairPair, PubSub}, change: func(s *Scenario) {
			s.Peers, s.Load.Burst, s.Load.Pause = 100, 1, 30*time.Millisecond
		}, inject: func(st *stage) error { st.proxy.Reset(); return nil }},
		{fault: F20, what: "budgets of 256 KiB, and a receiver that reads nothing", ours: "it has no budgets", ipc: true, change: func(s *Scenario) {
			s.Settings.SendBudget, s.Settings.RecvBudget, s.Load.Body, s.Load.Burst = 256<<10, 256<<10, 4000, 40
		}, inject: idle(away)},
		{fault: F21, variant: "stale", what: "the bound process leaves its file behind when it is killed", ipc: true, inject: func(st *stage) error {
			bound := st.receiver
			if st.senderBinds() {
				bound = st.sender
			}
			sends := bound.job.Sends
			st.kill(bound)
			if _, err := os.Stat(strings.TrimPrefix(st.bound, "ipc://")); err != nil {
				return fmt.Errorf("no file was left behind: %w", err)
			}
			return st.start(sends)
		}},
		{fault: F21, variant: "deleted", what: "the file is deleted while peers are connected", ipc: true, inject: func(st *stage) error {
			return os.Remove(strings.TrimPrefix(st.bound, "ipc://"))
		}},
		{fault: F22, what: "SIGSTOP of both processes, as when the machine is suspended", ipc: true, change: heartbeats,
			inject: func(st *stage) error { return st.frozen(2*away, st.sender, st.receiver) }},
		{fault: F23, what: "the receiver gets 1 ms of processor time in 100", ipc: true, change: heartbeats, inject: starved},
		{fault: F24, what: "kill -9 of the forwarder between the two, which is started again", ipc: true, not: []Pattern{PairPair}, change: between, inject: cut},
		{fault: F25, what: "one byte in 20000 is changed, for 300 ms", inject: corrupted},
	}
}
