package attack

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// peers are the legitimate peers of a victim.
type peers struct {
	now     func() int64
	job     *Job
	spec    *pattern.Spec
	sockets []*socket.Socket
	record  *record
	stop    context.CancelFunc
	running sync.WaitGroup
}

func openPeers(job *Job, now func() int64) (role, error) {
	p := &peers{now: now, job: job, spec: specs[peerOf[job.Target.Victim]], record: newRecord()}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	for lane := range goodLanes {
		s, err := p.enter(goodIdentity(lane))
		if err == nil {
			waiting, done := context.WithTimeout(ctx, guard)
			err = s.WaitPeers(waiting, 1)
			done()
			p.sockets = append(p.sockets, s)
		}
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		if p.spec.Receives() {
			p.running.Go(func() { p.receive(ctx, s) })
		}
	}
	return p, nil
}

// goodIdentity is what an attacker may want to steal.
func goodIdentity(lane int) string { return fmt.Sprintf("good-%d", lane) }

// enter makes a legitimate peer.
func (p *peers) enter(identity string) (*socket.Socket, error) {
	o := &socket.Options{}
	if p.spec == pattern.Dealer && identity != "" {
		o.Identity = []byte(identity)
	}
	if err := secureClient(o, &p.job.Target); err != nil {
		return nil, err
	}
	s, err := socket.New(p.spec, o)
	if err != nil {
		return nil, err
	}
	if p.spec == pattern.Sub {
		err = s.Subscribe(string(goodTopic))
	}
	if err == nil {
		err = s.Connect(p.job.Endpoint)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// receive takes what the victim sends.
func (p *peers) receive(ctx context.Context, s *socket.Socket) {
	var m ringwire.Message
	for s.RecvInto(ctx, &m) == nil {
		if m.Len() != 2 {
			continue
		}
		if st, ok := parseStamp(m.Frame(1)); ok {
			p.record.add(st.slice, p.now()-st.due)
		}
	}
}

func (p *peers) do(r request) reply {
	switch r.Do {
	case "load":
		return p.load(r)
	case "collect":
		return p.record.collect(r.Slice, r.Count)
	case "look":
		answer := reply{Stats: new(socket.Stats)}
		for _, s := range p.sockets {
			answer.Stats.Disconnects += s.Stats().Disconnects
		}
		return answer
	}
	return reply{Error: "peers cannot " + r.Do}
}

// load sends at the rate, if this is the side that does, and has a newcomer come,
// at once or in the middle of it.
func (p *peers) load(r request) reply {
	length := time.Duration(r.Millis) * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), guard+length)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	var answer reply
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil && answer.Error == "" {
			answer.Error = err.Error()
		}
	}
	if p.spec.Sends() {
		for lane, s := range p.sockets {
			all.Go(func() {
				body := make([]byte, 0, stampSize)
				sent, err := pace(p.now, loadRate/goodLanes, length, func(due int64) error {
					body = stamp{r.Slice, uint32(lane), due}.append(body[:0])
					return s.Send(ctx, goodTopic, body)
				})
				fail(err)
				mu.Lock()
				answer.Sent += sent
				mu.Unlock()
			})
		}
	}
	if r.Come {
		all.Go(func() {
			if !r.AtOnce {
				sleepUntil(p.now, p.now()+int64(length)/2)
			}
			took, err := p.newcomer()
			fail(err)
			answer.Newcomer = took
		})
	}
	all.Wait()
	return answer
}

// newcomer is how long it takes until one more legitimate peer is served, from its
// socket's making on: a message of its own was taken in or answered, or the
// publisher's welcome has come. One that is not served within guard has that time.
func (p *peers) newcomer() (time.Duration, error) {
	begin := p.now()
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	s, err := p.enter("")
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if p.spec.Sends() {
		err = s.Send(ctx, goodTopic, stamp{slice: ofNewcomers}.append(nil))
	}
	if err == nil {
		if p.spec.Receives() {
			_, err = s.Recv(ctx)
		} else {
			err = s.Confirm(ctx)
		}
	}
	took := time.Duration(p.now() - begin)
	if ctx.Err() != nil {
		return took, nil // which is too long
	}
	return took, err
}

// ofNewcomers is the slice of messages that are not measured.
const ofNewcomers = 1<<32 - 1

func (p *peers) close() error {
	p.stop()
	var all []error
	for _, s := range p.sockets {
		all = append(all, s.Close())
	}
	p.running.Wait()
	return errors.Join(all...)
}
