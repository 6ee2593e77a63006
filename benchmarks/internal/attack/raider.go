package attack

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// raid is what came of an attack.
type raid struct {
	Connections int64            `json:"connections"`
	Inputs      int              `json:"inputs"`  // different ones, so far
	All         int              `json:"all"`     // that there are
	Refused     int64            `json:"refused"` // of them
	Kept        int64            `json:"kept"`
	Left        int64            `json:"left"`
	Bytes       int64            `json:"bytes"`
	Open        int64            `json:"most_open"`    // connections at once
	Entitled    int64            `json:"entitled"`     // most that the victim may have kept at once, by what the connections sent, beside 64 KiB each
	Now         int64            `json:"entitled_now"` // likewise, of those that are open now
	OpenNow     int64            `json:"open_now"`
	Events      map[string]int64 `json:"events"` // that the victim must have had
	Surprises   []string         `json:"surprises,omitempty"`
}

// raider is the attacker.
type raider struct {
	attack *Attack
	rate   int
	target *Target
	inputs []Input
	next   int // input

	open, entitled atomic.Int64 // now

	mu   sync.Mutex
	raid raid // guarded by mu, as is held
	held []*holding

	flooding atomic.Bool
}

// holding is a connection that is kept open.
type holding struct {
	conn  *Conn
	input *Input
	keeps int64
}

// atOnce is how many connections an attacker is busy with at most.
const atOnce = 128

func openRaider(job *Job, a *Attack) *raider {
	r := &raider{attack: a, rate: job.Rate, target: &job.Target}
	r.target.Address, r.target.Source = address(job.Endpoint), a.Source
	r.inputs = a.Inputs(r.target)
	slices.SortStableFunc(r.inputs, func(a, b Input) int { return strings.Compare(a.Name, b.Name) })
	return r
}

func (r *raider) do(q request) reply {
	switch q.Do {
	case "attack":
		r.run(time.Duration(q.Millis) * time.Millisecond)
	case "release":
		r.release()
	case "warm":
		if err := r.warm(); err != nil {
			return reply{Error: err.Error()}
		}
	default:
		return reply{Error: "an attacker cannot " + q.Do}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := r.raid
	answer.Inputs, answer.All = min(r.next, len(r.inputs)), len(r.inputs)
	answer.OpenNow, answer.Now = r.open.Load(), r.entitled.Load()
	r.raid = raid{Open: answer.OpenNow, Entitled: answer.Now}
	return reply{Raid: &answer}
}

func (r *raider) close() error {
	r.release()
	return nil
}

// run attacks for so long. It returns when every connection that is not held has
// ended.
func (r *raider) run(length time.Duration) {
	begin := time.Now()
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	r.flooding.Store(true)
	made := 0
	for ; ; made++ {
		due := begin.Add(time.Duration(made) * time.Second / time.Duration(r.rate))
		if due.Sub(begin) >= length || r.attack.Hold > 0 && made >= r.attack.Hold {
			break
		}
		time.Sleep(time.Until(due))
		places <- struct{}{}
		input := &r.inputs[r.next%len(r.inputs)]
		number := r.next
		r.next++
		all.Go(func() {
			defer func() { <-places }()
			r.visit(input, number)
		})
	}
	time.Sleep(time.Until(begin.Add(length)))
	r.flooding.Store(false)
	all.Wait()
	if n := r.attack.Allowed; n > 0 && len(r.held) != min(made, n) {
		r.surprise(&Input{Name: "all together"}, fmt.Errorf("the victim keeps %d of %d connections, want %d", len(r.held), made, min(made, n)))
	}
}

// warm is a visit in good order: an attacker that is let in has been there before, and
// its password was hashed then.
func (r *raider) warm() error {
	c, err := r.target.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.enter(); err != nil {
		return err
	}
	return c.kept()
}

// visit is one connection.
func (r *raider) visit(input *Input, number int) {
	c, err := r.target.dial()
	if err != nil {
		r.end(input, Left, fmt.Errorf("dial: %w", err))
		return
	}
	h := &holding{conn: c, input: input}
	c.report = func(n int) { r.entitle(h, int64(n)) }
	r.mu.Lock()
	r.raid.Connections++
	r.raid.Open = max(r.raid.Open, r.open.Add(1))
	r.mu.Unlock()

	err = c.send(input)
	if r.attack.Allowed > 0 && errors.Is(err, errHungUp) {
		defer r.drop(h, number)
		r.end(&Input{Name: "one too many", Want: Refused, Event: rejected}, Refused, nil)
		return
	}
	if r.attack.Hold > 0 && err == nil {
		if r.attack.Flood > 0 && r.flooding.Load() {
			err = r.flood(h)
		}
		r.mu.Lock()
		r.held = append(r.held, h)
		r.mu.Unlock()
		if err != nil && input.Want != Refused {
			r.surprise(input, err)
		}
		return
	}
	defer r.drop(h, number)
	hungUp := errors.Is(err, errHungUp)
	switch {
	case err != nil && !hungUp:
		r.end(input, input.Want, err)
	case input.Want == Refused:
		r.end(input, Refused, c.closed())
	case hungUp && input.Want != Left:
		r.end(input, Refused, nil)
	case input.Want == Kept:
		err := c.kept()
		r.end(input, Kept, err)
	default:
		r.end(input, Left, nil)
	}
}

// send is the input. That the victim hangs up is errHungUp.
func (c *Conn) send(input *Input) error {
	if input.Script != nil {
		return input.Script(c)
	}
	var err error
	switch input.After {
	case InGreeting:
		if len(input.Send) > 0 {
			return c.greet(input.Send)
		}
		return c.greet()
	case WhenReady:
		err = c.enter()
	}
	if err == nil && len(input.Send) > 0 {
		err = c.put(input.Send)
	}
	return err
}

// flood sends at the rate until the slice is over.
func (r *raider) flood(h *holding) error {
	const step = 5 * time.Millisecond
	next := h.input.Flood
	if next == nil {
		next = func(int) ([]byte, int64) { return h.input.Send, 0 }
	}
	begin := time.Now()
	for sent, n := 0, 0; r.flooding.Load(); {
		due := int(time.Since(begin).Seconds() * float64(r.attack.Flood))
		var batch []byte
		for sent+len(batch) < due && len(batch) < 64<<10 {
			piece, keeps := next(n)
			n++
			batch = append(batch, piece...)
			r.entitle(h, keeps)
		}
		if len(batch) == 0 {
			time.Sleep(step)
			continue
		}
		if err := h.conn.put(batch); err != nil {
			return err
		}
		sent += len(batch)
	}
	return nil
}

// entitle notes what the victim may keep for a connection.
func (r *raider) entitle(h *holding, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h.keeps += n
	r.raid.Entitled = max(r.raid.Entitled, r.entitled.Add(n))
}

// drop hangs up.
func (r *raider) drop(h *holding, way int) {
	h.conn.leave(way)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raid.Bytes += h.conn.sent
	r.open.Add(-1)
	r.entitled.Add(-h.keeps)
}

// end notes how a connection ended.
func (r *raider) end(input *Input, how Want, err error) {
	if err != nil {
		r.surprise(input, err)
		return
	}
	if how != input.Want && input.Want != Either {
		r.surprise(input, errHungUp)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch how {
	case Refused:
		r.raid.Refused++
		if input.Want == Refused && input.Event != "" {
			if r.raid.Events == nil {
				r.raid.Events = make(map[string]int64)
			}
			r.raid.Events[input.Event]++
		}
	case Kept:
		r.raid.Kept++
	default:
		r.raid.Left++
	}
}

// surprise notes what should not have been.
func (r *raider) surprise(input *Input, err error) {
	const most = 8
	text := fmt.Sprintf("%s: %v", input.Name, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.raid.Surprises) < most && !slices.Contains(r.raid.Surprises, text) {
		r.raid.Surprises = append(r.raid.Surprises, text)
	}
}

// release ends the connections that are held, and asks those that must have been
// kept whether they were.
func (r *raider) release() {
	r.mu.Lock()
	list := r.held
	r.held = nil
	r.mu.Unlock()
	for i, h := range list {
		h.conn.SetDeadline(time.Now().Add(guard))
		switch h.input.Want {
		case Kept:
			err := h.conn.kept()
			r.end(h.input, Kept, err)
		case Refused:
			r.end(h.input, Refused, h.conn.closed())
		case Either:
			r.end(h.input, Either, nil)
		default:
			r.end(h.input, Left, nil)
		}
		r.drop(h, i)
	}
}
