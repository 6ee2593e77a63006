package session

import (
	"encoding/binary"
	"testing"

	"github.com/ringwire/ringwire/internal/zmtp"
)

// TestReceipts: a PONG is the receipt for what was written before its PING, also for
// one that had to give way to a newer; one that was never asked for proves nothing.
func TestReceipts(t *testing.T) {
	var r receipts
	context := func(number, mark uint64) []byte {
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, number), mark)
	}
	for i, mark := range []int64{10, 20} {
		if c, ok := r.ask(mark, false); !ok || string(c[:]) != string(context(uint64(i+1), uint64(mark))) {
			t.Fatalf("PING %d: got %v, %v", i+1, c, ok)
		}
	}
	if _, ok := r.ask(30, false); ok {
		t.Error("a third PING is sent though two are unanswered")
	}
	for i := range int64(5) {
		if _, ok := r.ask(30+i, true); !ok {
			t.Error("a PING that must be sent is not")
		}
	}
	for _, c := range [][]byte{context(99, 20), context(0, 10), context(7, 35), context(7, 1<<63), context(3, 30)[:8], nil} {
		if mark, ok := r.answered(c); ok {
			t.Errorf("the PONG % x, for a PING that was never sent, confirms %d", c, mark)
		}
	}
	for _, test := range []struct{ number, mark uint64 }{{1, 10}, {2, 20}, {4, 31}, {7, 34}, {7, 34}} {
		if mark, ok := r.answered(context(test.number, test.mark)); !ok || mark != int64(test.mark) {
			t.Errorf("the answer to PING %d: got %d, %v, want %d", test.number, mark, ok, test.mark)
		}
	}
	if r.n != 0 {
		t.Errorf("%d PINGs are open after the newest was answered", r.n)
	}
}

// TestReceiptsOfMutePeer: a peer that answers, but does not say what, can give no
// receipt; its answers are told one by one.
func TestReceiptsOfMutePeer(t *testing.T) {
	var r receipts
	r.answered(nil)
	if r.able.Load() != unknown {
		t.Error("a PONG that nobody asked for tells nothing of the peer")
	}
	r.ask(1, false)
	r.ask(2, false)
	for _, left := range []int{1, 0, 0} {
		if mark, ok := r.answered(make([]byte, zmtp.MaxPingContext-1)); ok || r.n != left {
			t.Errorf("got a receipt for %d: %v, %d open, want none, %d", mark, ok, r.n, left)
		}
	}
	if r.able.Load() != echoesNot {
		t.Error("the peer counts as one that gives receipts")
	}
}
