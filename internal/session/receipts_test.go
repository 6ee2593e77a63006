package session

import (
	"encoding/binary"
	"testing"
)

// TestReceipts: a PONG stands for all PINGs up to its own, also for one that had to
// give way to a newer; one that was never asked for proves nothing.
func TestReceipts(t *testing.T) {
	var r receipts
	context := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	for i, mark := range []int64{10, 20} {
		if c, ok := r.ask(mark, false); !ok || binary.BigEndian.Uint64(c[:]) != uint64(i+1) {
			t.Fatalf("PING %d: got %v, %v", i+1, c, ok)
		}
	}
	if _, ok := r.ask(30, false); ok {
		t.Error("a third PING is sent though two are unanswered")
	}
	for range 5 {
		if _, ok := r.ask(40, true); !ok {
			t.Error("a PING that must be sent is not")
		}
	}
	if mark, ok := r.answered(context(99)); ok {
		t.Errorf("a PONG for a PING that was never sent confirms %d", mark)
	}
	if mark, ok := r.answered(context(2)); !ok || mark != 10 {
		t.Errorf("the answer to a PING that gave way: got %d, %v, want the 10 of the one before", mark, ok)
	}
	if mark, ok := r.answered(context(7)); !ok || mark != 40 {
		t.Errorf("the answer to the newest: got %d, %v, want 40", mark, ok)
	}
	if mark, ok := r.answered(context(7)); ok {
		t.Errorf("the same answer again confirms %d", mark)
	}
}
