package zmtp_test

import (
	"fmt"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

const context16 = "0123456789abcdef"

func TestPingGolden(t *testing.T) {
	for _, row := range []struct {
		ttl           uint16
		context, want string
	}{
		{0, "", "\x04\x07\x04PING\x00\x00"},
		{300, "ctx", "\x04\x0A\x04PING\x01\x2Cctx"},
		{65535, context16, "\x04\x17\x04PING\xFF\xFF" + context16},
	} {
		if got := zmtp.AppendPing([]byte("before"), row.ttl, []byte(row.context)); string(got) != "before"+row.want {
			t.Errorf("got %q, want %q", got[6:], row.want)
		}
	}
	if got, want := zmtp.AppendPong([]byte("before"), []byte("ctx")), "before\x04\x08\x04PONGctx"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// SEC-14: the lengths of PING and PONG.
func TestHeartbeatSizes(t *testing.T) {
	for _, size := range []int{0, 1, 2, 3, 16, 17, 18, 19, 255, 64 << 10} {
		data := make([]byte, size)
		copy(data, "\x01\x2Ccontext")
		t.Run(fmt.Sprintf("PING/%d", size), func(t *testing.T) {
			ttl, context, err := zmtp.ParsePing(data)
			if size < 2 || size > 18 {
				checkError(t, err, ringwire.ErrProtocol, fmt.Sprintf("PING with %d bytes, want 2 to 18", size))
			} else if ttl != 300 || string(context) != string(data[2:]) || cap(context) != len(context) || err != nil {
				t.Errorf("got %d, %q, %v, want 300, %q", ttl, context, err, data[2:])
			}
		})
		t.Run(fmt.Sprintf("PONG/%d", size), func(t *testing.T) {
			context, err := zmtp.ParsePong(data)
			if size > 16 {
				checkError(t, err, ringwire.ErrProtocol, fmt.Sprintf("PONG with %d bytes, want at most 16", size))
			} else if string(context) != string(data) || err != nil {
				t.Errorf("got %q, %v, want %q", context, err, data)
			}
		})
	}
}

// SEC-14: every TTL is read as it was sent, those too that overflow in libzmq.
func TestPingTTL(t *testing.T) {
	for _, ttl := range []uint16{0, 1, zmtp.MaxPingTTL, zmtp.MaxPingTTL + 1, 65535} {
		_, data, err := zmtp.ParseCommand(commandBody(t, zmtp.AppendPing(nil, ttl, []byte(context16))))
		if err != nil {
			t.Fatal(err)
		}
		got, context, err := zmtp.ParsePing(data)
		if got != ttl || string(context) != context16 || err != nil {
			t.Errorf("got %d, %q, %v, want %d, %q", got, context, err, ttl, context16)
		}
	}
	if zmtp.MaxPingTTL*100 > 1<<16-1 || (zmtp.MaxPingTTL+1)*100 <= 1<<16-1 {
		t.Errorf("MaxPingTTL is %d, want the last one that fits 16 bits in milliseconds", zmtp.MaxPingTTL)
	}
}

func TestAppendHeartbeatPanics(t *testing.T) {
	long := []byte(context16 + "g")
	checkPanic(t, "context of a PING has 17 bytes, want at most 16", func() { zmtp.AppendPing(nil, 0, long) })
	checkPanic(t, "context of a PONG has 17 bytes, want at most 16", func() { zmtp.AppendPong(nil, long) })
}

func TestHeartbeatAllocatesNothing(t *testing.T) {
	buf, context := make([]byte, 0, 64), []byte(context16)
	if n := testing.AllocsPerRun(100, func() {
		buf = zmtp.AppendPing(buf[:0], 10, context)
		_, data, _ := zmtp.ParseCommand(buf[2:])
		_, echo, _ := zmtp.ParsePing(data)
		buf = zmtp.AppendPong(buf, echo)
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
