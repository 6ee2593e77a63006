package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// manyConnections measures what connections cost. Each repetition has fresh
// processes, and gives one slice of each of the rows.
type manyConnections struct {
	suite *suite
	rows  []row // of connectionRows, those that were asked for
}

// spareFiles is what a process has open besides its connections.
const spareFiles = 100

// count is how many connections there will be, and says why they are fewer
// than the rows are named after.
func (m *manyConnections) count() (n int, note string) {
	n = m.suite.capped(m.rows[0].role.Sockets)
	if most := openFiles(); uint64(n)+spareFiles > most {
		n = max(int(most)-spareFiles, 1)
		note = fmt.Sprintf("%d connections: a process may have %d files open", n, most)
	}
	return n, note
}

// run returns the results of all rows.
func (m *manyConnections) run(ctx context.Context) ([]result.Row, error) {
	count, note := m.count()
	var rows []result.Row
	for _, r := range m.rows {
		row := r.result()
		for _, c := range m.rows[0].contenders {
			row.Contenders = append(row.Contenders, result.Contender{Label: c.label, Note: note})
		}
		rows = append(rows, row)
	}
	pairs := m.suite.pairsOf(m.rows[0])
	for i := range pairs {
		for _, k := range inTurn(len(m.rows[0].contenders), i) {
			if rows[0].Contenders[k].Missing != "" {
				continue
			}
			found, err := m.repetition(ctx, m.rows[0].contenders[k], count)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			for j, r := range m.rows {
				c := &rows[j].Contenders[k]
				if err != nil {
					c.Missing, c.Slices = err.Error(), nil
					continue
				}
				c.Slices = append(c.Slices, result.Slice{Value: found[r.metric.unit], Messages: int64(count), Seconds: found[secondsToReady.unit]})
			}
			m.suite.progress.step()
		}
	}
	return rows, nil
}

// repetition makes the connections once, and returns what was found by the
// unit of each metric.
func (m *manyConnections) repetition(ctx context.Context, c contender, count int) (map[string]float64, error) {
	r := m.rows[0].roleOf(c)
	r.Sockets = count
	t, err := startTeam(ctx, c, r, m.suite.endpoint(r.Transport))
	if err != nil {
		return nil, err
	}
	defer t.close()
	if err := t.tidy(ctx); err != nil {
		return nil, err
	}
	_, before, err := t.usage(ctx)
	if err != nil {
		return nil, err
	}
	ready, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, m.suite.idle); err != nil { // what the handshakes left is cleared away
		return nil, err
	}
	began := time.Now()
	sendFrom, recvFrom, err := t.usage(ctx)
	if err == nil {
		err = sleep(ctx, m.suite.idle)
	}
	if err != nil {
		return nil, err
	}
	sendTo, recvTo, err := t.usage(ctx)
	if err != nil {
		return nil, err
	}
	passed := time.Since(began).Seconds()
	used := sendTo.since(sendFrom).and(recvTo.since(recvFrom))
	// What the connections hold, without the garbage of making them, which goes
	// when Go's collector next runs: an idle process may be resident for minutes
	// with twice as much.
	if err := t.tidy(ctx); err != nil {
		return nil, err
	}
	_, held, err := t.usage(ctx)
	if err != nil {
		return nil, err
	}
	if used.CPU == nil || held.Resident == nil || before.Resident == nil {
		return nil, errors.New("this system does not count a process's memory and CPU time")
	}
	return map[string]float64{
		secondsToReady.unit:     ready.Seconds(),
		bytesPerConnection.unit: float64(max(*held.Resident-*before.Resident, 0)) / float64(count),
		idleCPU.unit:            *used.CPU / passed,
	}, nil
}

// connectGuard is how long it may take until all connections are ready.
const connectGuard = 3 * time.Minute

// connect makes the connections and returns how long it took until all were
// ready on the accepting side.
func (t *team) connect(ctx context.Context) (time.Duration, error) {
	for _, p := range t.processes() {
		if err := p.ask(request{Do: actionSlice, Slice: &sliceSpec{Number: 1}}); err != nil {
			return 0, err
		}
	}
	began, err := t.send.await(ctx, connectGuard, t.recv)
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	ended, err := t.recv.await(ctx, connectGuard, t.send)
	if err != nil {
		return 0, fmt.Errorf("accept: %w", err)
	}
	if began.Result == nil || ended.Result == nil {
		return 0, errors.New("the answer to a slice has no result")
	}
	return time.Duration(ended.Result.At - began.Result.At), nil
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
