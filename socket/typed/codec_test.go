package typed_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/typed"
)

type side string

// celsius decides its own encoding.
type celsius float64

func (c celsius) EncodeMsgpack(e *msgpack.Encoder) error {
	return e.EncodeString(fmt.Sprintf("%g °C", float64(c)))
}
func (c *celsius) DecodeMsgpack(d *msgpack.Decoder) error {
	s, err := d.DecodeString()
	if err == nil {
		_, err = fmt.Sscanf(s, "%g °C", c)
	}
	return err
}
func (c celsius) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%g °C", float64(c)), nil }
func (c *celsius) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "%g °C", c)
	return err
}

type everything struct {
	Small  int8 `msgpack:"small" json:"small"`
	Large  int64
	Whole  uint64
	Real   float64
	Text   string
	Side   side
	Bytes  []byte
	Yes    bool
	When   time.Time
	Long   time.Duration
	Temp   celsius
	List   []int
	Fixed  [3]uint16
	Names  map[string]int
	Next   *everything
	Anyone any
}

func full() everything {
	return everything{
		Small: -3, Large: math.MinInt64, Whole: math.MaxUint64, Real: 0.1, Text: "wörld", Side: "buy", Bytes: []byte{0, 255},
		Yes: true, When: time.Date(2031, 5, 6, 7, 8, 9, 10, time.UTC), Long: time.Hour, Temp: 21.5, List: []int{1, -1, 1 << 30},
		Fixed: [3]uint16{1, 2, 3}, Names: map[string]int{"a": 1, "b": 2}, Next: &everything{Text: "inner"}, Anyone: "any",
	}
}

func sameEverything(a, b everything) bool {
	when := a.When.Equal(b.When)
	a.When, b.When = time.Time{}, time.Time{}
	if a.Next != nil && b.Next != nil && !a.Next.When.Equal(b.Next.When) {
		return false
	}
	if a.Next != nil {
		next := *a.Next
		next.When = time.Time{}
		a.Next = &next
	}
	if b.Next != nil {
		next := *b.Next
		next.When = time.Time{}
		b.Next = &next
	}
	return when && reflect.DeepEqual(a, b)
}

// pair returns a Push and a Pull that are connected.
func pair[A, B any](t testing.TB, endpoint string, opts *typed.Options) (*typed.Push[A], *typed.Pull[B]) {
	t.Helper()
	pull := must[*typed.Pull[B]](t)(typed.NewPull[B](opts))
	t.Cleanup(func() { ok(t, pull.Close()) })
	push := must[*typed.Push[A]](t)(typed.NewPush[A](opts))
	t.Cleanup(func() { ok(t, push.Close()) })
	ok(t, push.Connect(must[string](t)(pull.Bind(endpoint))))
	ok(t, push.WaitPeers(soon(t), 1))
	return push, pull
}

func TestEveryTypeByEveryCodecOverEachTransport(t *testing.T) {
	for _, codec := range []typed.Codec{typed.Msgpack{}, typed.Msgpack{Arrays: true}, typed.Msgpack{Strict: true}, typed.JSON{}, typed.JSON{Strict: true}} {
		for _, endpoint := range []string{"inproc://typed-codec", "tcp://127.0.0.1:*", "ipc://*"} {
			t.Run(fmt.Sprintf("%T%+v over %s", codec, codec, endpoint), func(t *testing.T) {
				push, pull := pair[everything, everything](t, endpoint, &typed.Options{Codec: codec})
				for _, want := range []everything{full(), {}} {
					ok(t, push.Send(soon(t), want))
					if got := must[everything](t)(pull.Recv(soon(t))); !sameEverything(got, want) {
						t.Errorf("got %+v, want %+v", got, want)
					}
				}
			})
		}
	}
}

// A struct is read from a map and from an array whatever the receiver writes itself.
func TestMapsAndArraysMeet(t *testing.T) {
	want := full()
	for _, c := range []typed.Msgpack{{}, {Arrays: true}} {
		b, err := c.Append(nil, &want)
		ok(t, err)
		if first, array := b[0], b[0] == 0xdc; array != c.Arrays {
			t.Errorf("%+v encodes a struct as %#x", c, first)
		}
		var got everything
		ok(t, typed.Msgpack{Arrays: !c.Arrays}.Decode(b, &got))
		if !sameEverything(got, want) {
			t.Errorf("%+v: got %+v, want %+v", c, got, want)
		}
	}
}

func TestRawCarriesBytesAndStrings(t *testing.T) {
	raw := &typed.Options{Codec: typed.Raw{}}
	push, pull := pair[[]byte, string](t, "inproc://typed-raw", raw)
	for _, want := range []string{"", "\x00\xff", strings.Repeat("x", 1<<20)} {
		ok(t, push.Send(soon(t), []byte(want)))
		if got := must[string](t)(pull.Recv(soon(t))); got != want {
			t.Errorf("got %d bytes, want %d", len(got), len(want))
		}
	}
	numbers := must[*typed.Push[int]](t)(typed.NewPush[int](raw))
	defer numbers.Close()
	if err := numbers.Send(soon(t), 1); err == nil || !strings.Contains(err.Error(), "not for int") {
		t.Errorf("got %v, want that Raw is not for int", err)
	}
}

type bid struct{ Price, Volume int }
type trade struct {
	Buyer  string
	Seller string
}

// A message of another type is an error that names both, and the next one is received.
func TestMismatchNamesBothTypes(t *testing.T) {
	for _, codec := range []typed.Codec{typed.Msgpack{}, typed.Msgpack{Arrays: true}, typed.JSON{}} {
		for _, endpoint := range []string{"inproc://typed-mismatch", "tcp://127.0.0.1:*"} {
			pull := must[*typed.Pull[bid]](t)(typed.NewPull[bid](&typed.Options{Codec: codec}))
			at := must[string](t)(pull.Bind(endpoint))
			wrong := must[*typed.Push[trade]](t)(typed.NewPush[trade](&typed.Options{Codec: codec}))
			ok(t, wrong.Connect(at))
			ok(t, wrong.Send(soon(t), trade{"me", "you"}))
			_, err := pull.Recv(soon(t))
			e, is := errors.AsType[*typed.DecodeError](err)
			if !is || e.Type != "typed_test.bid" || e.PeerType != "typed_test.trade" || e.PeerCodec != codec.Name() {
				t.Fatalf("%+v over %s: got %#v (%v), want a DecodeError that names both types", codec, endpoint, e, err)
			}
			if strings.HasPrefix(endpoint, "tcp") && !strings.Contains(err.Error(), "peer 127.0.0.1:") {
				t.Errorf("%+v: got %v, want the peer's address in it", codec, err)
			}
			if text := err.Error(); !strings.Contains(text, "typed_test.bid") || !strings.Contains(text, "typed_test.trade") {
				t.Errorf("%+v over %s: got %q, want both types in it", codec, endpoint, text)
			}
			ok(t, wrong.Close())
			ok(t, pull.Close())
		}
	}
}

// A struct that has got new fields, and one that has lost some, is still understood;
// with Strict only what is known is.
func TestUnknownFields(t *testing.T) {
	for _, c := range []struct {
		codec, strict typed.Codec
	}{{typed.Msgpack{}, typed.Msgpack{Strict: true}}, {typed.JSON{}, typed.JSON{Strict: true}}} {
		newer := struct{ Price, Volume, Venue int }{1, 2, 3}
		b, err := c.codec.Append(nil, &newer)
		ok(t, err)
		var got bid
		ok(t, c.codec.Decode(b, &got))
		if got != (bid{1, 2}) {
			t.Errorf("%T: got %+v, want {1 2}", c.codec, got)
		}
		if err := c.strict.Decode(b, new(bid)); err == nil || !strings.Contains(err.Error(), "Venue") {
			t.Errorf("%T strict: got %v, want that Venue is unknown", c.codec, err)
		}
		// Zero in all that is known is no mismatch.
		newer.Price, newer.Volume = 0, 0
		b, err = c.codec.Append(nil, &newer)
		ok(t, err)
		ok(t, c.codec.Decode(b, new(bid)))
	}
}

func TestCodecRefusesWhatIsBroken(t *testing.T) {
	deep := func(open, close string, n int) []byte {
		return []byte(strings.Repeat(open, n) + "1" + strings.Repeat(close, n))
	}
	var value any
	for _, c := range []struct {
		codec typed.Codec
		data  []byte
		into  any
		want  string
	}{
		{typed.Msgpack{}, nil, &value, "ends too soon"},
		{typed.Msgpack{}, []byte{0xc1}, &value, "the byte 0xc1"},
		{typed.Msgpack{}, []byte{1, 2}, &value, "1 bytes follow the value"},
		{typed.Msgpack{}, []byte{0xdd, 0xff, 0xff, 0xff, 0xff}, &value, "claims more elements"},
		{typed.Msgpack{}, []byte{0xdf, 0xff, 0xff, 0xff, 0xff}, &value, "claims more elements"},
		{typed.Msgpack{}, []byte{0xc6, 0xff, 0xff, 0xff, 0xff}, &value, "claims more elements"},
		{typed.Msgpack{}, []byte{0xc7, 0, 5}, &value, "extension without a body"},
		{typed.Msgpack{}, append(bytes.Repeat([]byte{0x91}, 101), 0), &value, "deeper than 100"},
		{typed.Msgpack{}, []byte{0xa3, 'a', 'b', 'c'}, new(int), "a string: msgpack"},
		{typed.Msgpack{}, []byte{0x93, 1, 2, 3}, new(bid), "an array of 3: msgpack"},
		{typed.Msgpack{}, []byte{0x81, 0xa1, 'x', 1}, new(bid), `the names ["x"], none of which is a field of typed_test.bid`},
		{typed.JSON{}, deep("[", "]", 101), &value, "deeper than 100"},
		{typed.JSON{}, []byte(`{"x":1}`), new(bid), `the names ["x"], none of which`},
		{typed.JSON{}, []byte(`1 2`), new(int), "after top-level value"},
		{typed.JSON{Strict: true}, []byte(`{"Price":1} 2`), new(bid), "after top-level value"},
	} {
		err := c.codec.Decode(c.data, c.into)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T of % x: got %v, want %q", c.codec, c.data, err, c.want)
		}
	}
	ok(t, typed.Msgpack{}.Decode(append(bytes.Repeat([]byte{0x91}, 100), 0), &value))
	ok(t, typed.JSON{}.Decode(deep("[", "]", 100), &value))
	ok(t, typed.JSON{}.Decode([]byte(`"`+strings.Repeat(`[\"`, 200)+`"`), new(string)))
}

// Each prefix of an encoding is an error, and none is a panic.
func TestTruncatedPayloads(t *testing.T) {
	want := full()
	for _, codec := range []typed.Codec{typed.Msgpack{}, typed.Msgpack{Arrays: true}, typed.JSON{}} {
		b, err := codec.Append(nil, &want)
		ok(t, err)
		for n := range b {
			if err := codec.Decode(b[:n:n], new(everything)); err == nil {
				t.Errorf("%T: the first %d of %d bytes are accepted: %s", codec, n, len(b), hex.EncodeToString(b[:n]))
			}
		}
	}
}

func TestTopicsAndValues(t *testing.T) {
	for _, endpoint := range []string{"inproc://typed-topics", "tcp://127.0.0.1:*", "ipc://*"} {
		pub := must[*typed.Pub[bid]](t)(typed.NewPub[bid](nil))
		sub := must[*typed.Sub[bid]](t)(typed.NewSub[bid](nil))
		ok(t, sub.Connect(must[string](t)(pub.Bind(endpoint))))
		ok(t, sub.Subscribe("eur/"))
		ok(t, pub.WaitSubscribers(soon(t), "eur/usd", 1))
		ok(t, pub.Send(soon(t), "usd/eur", bid{1, 1}))
		ok(t, pub.Send(soon(t), "eur/usd", bid{2, 2}))
		topic, v, err := sub.Recv(soon(t))
		if topic != "eur/usd" || v != (bid{2, 2}) || err != nil {
			t.Errorf("%s: got %q, %+v, %v, want eur/usd {2 2}", endpoint, topic, v, err)
		}
		ok(t, pub.Socket().Send(soon(t), []byte("eur/"), []byte("x"), []byte("y")))
		ok(t, pub.Socket().Send(soon(t), []byte("eur/chf"), []byte{0xa1, 'x'}))
		ok(t, pub.Send(soon(t), "eur/", bid{3, 3}))
		if topic, _, err := sub.Recv(soon(t)); topic != "eur/" || err == nil || !strings.Contains(err.Error(), "it has 3 frames, want 2") {
			t.Errorf("%s: got topic %q and %v, want 3 frames", endpoint, topic, err)
		}
		// A bad message does not end the sequence, Close does.
		var got []string
		for v, err := range sub.Values(soon(t)) {
			if _, bad := errors.AsType[*typed.DecodeError](err); bad {
				got = append(got, "bad")
				continue
			}
			got = append(got, fmt.Sprint(v, err))
			ok(t, sub.Close())
		}
		if want := []string{"bad", "{3 3} <nil>"}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", endpoint, got, want)
		}
		ok(t, pub.Close())
	}
}

func TestValuesEndWithTheContext(t *testing.T) {
	_, pull := pair[int, int](t, "inproc://typed-values", nil)
	count := 0
	for _, err := range pull.Values(canceled()) {
		if count++; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	}
	if count != 1 {
		t.Errorf("got %d values, want one error", count)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, c := range []struct {
		opts typed.Options
		want string
	}{
		{typed.Options{Workers: -2}, "Workers is -2, want -1 (no limit), 0 (64) or more"},
		{typed.Options{Queue: -2}, "Queue is -2, want -1 (none), 0 (1000) or more"},
		{typed.Options{Socket: &socket.Options{Conflate: true}}, "messages of one frame"},
		{typed.Options{Socket: &socket.Options{SendHWM: -2}}, "SendHWM"},
	} {
		_, err := typed.NewServer(double, &c.opts)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("NewServer: got %v, want %q", err, c.want)
		}
		_, err = typed.NewClient[int, int](&c.opts)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("NewClient: got %v, want %q", err, c.want)
		}
	}
	if _, err := typed.NewServer[int, int](nil, nil); err == nil {
		t.Error("a nil handler is accepted")
	}
}

// What a peer is called in errors can be chosen, and nothing that is given is changed.
func TestMetadataOfTheCallerStays(t *testing.T) {
	mine := map[string]string{"X-Type": "Order v2", "X-Other": "1", "X-Name": "till 4"}
	push, pull := pair[int, string](t, "tcp://127.0.0.1:*", &typed.Options{Socket: &socket.Options{Metadata: mine}})
	ok(t, push.Send(soon(t), 7))
	_, err := pull.Recv(soon(t))
	if e, is := errors.AsType[*typed.DecodeError](err); !is || e.PeerType != "Order v2" || e.PeerCodec != "msgpack" {
		t.Errorf("got %v, want Order v2 by msgpack", err)
	} else if e.PeerName != `"till 4"` || !strings.HasPrefix(err.Error(), `typed: peer "till 4", which has`) {
		t.Errorf("got %v of %s, want till 4 named", err, e.PeerName)
	}
	if len(mine) != 3 {
		t.Errorf("the caller's map is now %v", mine)
	}
}

// reversed is a codec of the test's own.
type reversed struct{ typed.Raw }

func (reversed) Name() string { return "reversed" }
func (r reversed) Append(dst []byte, v any) ([]byte, error) {
	n := len(dst)
	dst, err := r.Raw.Append(dst, v)
	for i, k := n, len(dst)-1; i < k; i, k = i+1, k-1 {
		dst[i], dst[k] = dst[k], dst[i]
	}
	return dst, err
}

func TestOtherCodecs(t *testing.T) {
	push, pull := pair[string, string](t, "inproc://typed-own", &typed.Options{Codec: reversed{}})
	ok(t, push.Send(soon(t), "live"))
	if got := must[string](t)(pull.Recv(soon(t))); got != "evil" {
		t.Errorf("got %q, want evil", got)
	}
}

// bare sends frames as they are to a Pull[T].
func bare[T any](t testing.TB, codec typed.Codec, endpoint string) (*socket.Socket, *typed.Pull[T]) {
	t.Helper()
	pull := must[*typed.Pull[T]](t)(typed.NewPull[T](&typed.Options{Codec: codec}))
	t.Cleanup(func() { ok(t, pull.Close()) })
	push := must[*socket.Socket](t)(socket.New(pattern.Push, nil))
	t.Cleanup(func() { ok(t, push.Close()) })
	ok(t, push.Connect(must[string](t)(pull.Bind(endpoint))))
	return push, pull
}

// Payloads that make the decoder panic are errors like others.
func TestPanicsOfTheDecoderAreErrors(t *testing.T) {
	type open struct{ A any }
	push, pull := bare[open](t, typed.Msgpack{}, "inproc://typed-panic")
	twice := []byte{0x82, 0xa1, 'A', 1, 0xa1, 'A', 2} // the second finds a value that cannot be set
	ok(t, push.Send(soon(t), twice))
	if _, err := pull.Recv(soon(t)); err == nil || !strings.Contains(err.Error(), "panic of the decoder") {
		t.Errorf("got %v, want a panic of the decoder", err)
	}
	ok(t, push.Send(soon(t), []byte{0x81, 0xa1, 'A', 1}))
	if got := must[open](t)(pull.Recv(soon(t))); got.A != int8(1) {
		t.Errorf("got %v, want 1", got.A)
	}
	maps, keyed := bare[map[any]int](t, typed.Msgpack{}, "inproc://typed-panic-key")
	ok(t, maps.Send(soon(t), []byte{0x81, 0x90, 1}))
	if _, err := keyed.Recv(soon(t)); err == nil || !strings.Contains(err.Error(), "unhashable") {
		t.Errorf("got %v, want that a slice is no key", err)
	}
	if _, err := keyed.Recv(canceled()); !errors.Is(err, context.Canceled) || errors.Is(err, ringwire.ErrClosed) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
