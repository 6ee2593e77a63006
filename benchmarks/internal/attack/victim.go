package attack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
	"github.com/ringwire/ringwire/socket/plain"
)

var specs = map[string]*pattern.Spec{
	"PULL": pattern.Pull, "ROUTER": pattern.Router, "XPUB": pattern.XPub,
	"PUSH": pattern.Push, "DEALER": pattern.Dealer, "SUB": pattern.Sub,
}

// victim is the socket under attack and the application behind it.
type victim struct {
	now    func() int64
	socket *socket.Socket
	record *record // PULL: what came
	meter  *meter
	job    *Job

	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	events map[string]int64 // by kind and reason; guarded by mu
	lost   int64            // likewise
	leak   string           // an event with a secret in it; likewise
}

func openVictim(job *Job, a *Attack, now func() int64) (role, string, error) {
	o := &socket.Options{}
	if job.Target.Victim == "XPUB" {
		o.WelcomeMessage = goodTopic // by which a newcomer sees that it is served
	}
	if a.Options != nil {
		a.Options(o)
	}
	if err := secureServer(o, &job.Target); err != nil {
		return nil, "", err
	}
	s, err := socket.New(specs[job.Target.Victim], o)
	if err != nil {
		return nil, "", err
	}
	v := &victim{now: now, socket: s, record: newRecord(), job: job, events: make(map[string]int64)}
	events := s.Events(context.Background())
	v.running.Go(func() {
		for ev := range events {
			v.note(&ev)
		}
	})
	where := "tcp://127.0.0.1:0"
	if job.Target.Network == "ipc" {
		where = "ipc://*"
	}
	endpoint, err := s.Bind(where)
	if err != nil {
		s.Close()
		return nil, "", err
	}
	ctx, cancel := context.WithCancel(context.Background())
	v.stop = cancel
	v.running.Go(func() { v.receive(ctx) })
	v.meter = startMeter()
	return v, endpoint, nil
}

// receive is the application: it answers to legitimate peers and throws away what
// the attacker's are allowed to send.
func (v *victim) receive(ctx context.Context) {
	at := 0
	if v.socket.Type() == pattern.Router {
		at = 1 // behind the identity
	}
	for m, err := range v.socket.Messages(ctx) {
		if err != nil {
			return
		}
		if m.Len() == at+2 && string(m.Frame(at)) == string(goodTopic) {
			if v.socket.Type() == pattern.Router {
				if v.socket.SendMessage(ctx, m) == nil {
					continue // it has the message
				}
			} else if s, ok := parseStamp(m.Frame(at + 1)); ok {
				v.record.add(s.slice, v.now()-s.due)
			}
		}
		m.Release()
	}
}

// note counts an event, and looks whether it tells a secret.
func (v *victim) note(ev *socket.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lost += int64(ev.Lost)
	key := ev.Kind.String()
	if reason := ev.Reason(); reason != "" {
		key += "/" + reason
	}
	v.events[key]++
	if ev.Err == nil {
		return
	}
	k := &v.job.Target.Keys
	for _, secret := range []string{k.Password, k.EvilPass, wrongPassword, string(k.ServerSecret[:]), string(k.EvilSecret[:])} {
		if strings.Contains(ev.Err.Error(), secret) {
			v.leak = key
		}
	}
}

func (v *victim) do(r request) reply {
	switch r.Do {
	case "load":
		return v.load(r)
	case "collect":
		return v.record.collect(r.Slice, r.Count)
	case "limit":
		if err := limitFiles(r.Millis); err != nil {
			return reply{Error: err.Error()}
		}
		return reply{}
	case "look":
		st := v.socket.Stats()
		answer := reply{Usage: v.meter.look(r.Settle), Stats: &st, Events: make(map[string]int64)}
		v.mu.Lock()
		defer v.mu.Unlock()
		for k, n := range v.events {
			answer.Events[k] = n
		}
		answer.Lost, answer.Leak = v.lost, v.leak
		return answer
	}
	return reply{Error: "a victim cannot " + r.Do}
}

// load has an XPUB publish.
func (v *victim) load(r request) reply {
	if v.socket.Type() != pattern.XPub {
		return reply{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), guard+time.Duration(r.Millis)*time.Millisecond)
	defer cancel()
	if err := v.socket.WaitSubscribers(ctx, string(goodTopic), goodLanes); err != nil {
		return reply{Error: err.Error()}
	}
	body := make([]byte, 0, stampSize)
	sent, err := pace(v.now, loadRate, time.Duration(r.Millis)*time.Millisecond, func(due int64) error {
		body = stamp{r.Slice, 0, due}.append(body[:0])
		return v.socket.Send(ctx, goodTopic, body)
	})
	answer := reply{Sent: sent * goodLanes}
	if err != nil {
		answer.Error = err.Error()
	}
	return answer
}

func (v *victim) close() error {
	v.stop()
	var unsent *ringwire.UnsentError
	err := v.socket.Close()
	v.running.Wait()
	v.meter.close()
	if errors.As(err, &unsent) {
		return nil // for peers that do not read
	}
	return err
}

// Users with whom the victim's authenticator has trouble, and a password that is
// nobody's.
const (
	userPanics    = "makes it panic"
	userFails     = "makes it fail"
	userWaits     = "makes it wait"
	wrongPassword = "a password that is nobody's"
)

// secureServer sets the mechanism of a victim.
func secureServer(o *socket.Options, t *Target) (err error) {
	k := &t.Keys
	switch t.Mechanism {
	case "PLAIN":
		users, err := plain.Users(map[string]string{goodUser: k.PasswordHash, evilUser: k.EvilHash})
		if err != nil {
			return err
		}
		o.Mechanism = plain.Server()
		o.Authenticator = func(ctx context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
			switch c.Username {
			case userPanics:
				panic("as it was told")
			case userFails:
				return ringwire.Verdict{Allow: true}, errors.New("as it was told")
			case userWaits:
				<-ctx.Done()
				return ringwire.Verdict{Allow: true}, nil
			}
			return users(ctx, c)
		}
	case "CURVE":
		key, err := secretKey(k.ServerSecret)
		if err != nil {
			return err
		}
		if o.Mechanism, err = curve.Server(key); err != nil {
			return err
		}
		o.Authenticator = curve.AllowKeys(k.Good, k.Evil)
	}
	return nil
}

// secureClient sets the mechanism of a legitimate peer.
func secureClient(o *socket.Options, t *Target) (err error) {
	k := &t.Keys
	switch t.Mechanism {
	case "PLAIN":
		o.Mechanism, err = plain.Client(goodUser, k.Password)
	case "CURVE":
		var key *curve.SecretKey
		if key, err = secretKey(k.GoodSecret); err == nil {
			o.Mechanism, err = curve.Client(key, k.Server)
		}
	}
	return err
}

func secretKey(b [32]byte) (*curve.SecretKey, error) {
	key, err := curve.ParseSecretKey(curve.EncodeZ85(b[:]))
	if err != nil {
		return nil, fmt.Errorf("a key of this run: %w", err)
	}
	return key, nil
}
