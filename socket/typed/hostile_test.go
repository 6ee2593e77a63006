package typed_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/typed"
)

// big is a type of which a peer can ask for many with a byte each.
type big struct {
	A    [32]int64
	Next *big
}

// maps can be nested as deep as a payload says.
type maps map[string]maps

// raw has what a decoder may copy or convert.
type mixed struct {
	Any   any
	Raw   msgpack.RawMessage
	When  time.Time
	Many  []mixed
	By    map[string]mixed
	Ptr   *mixed
	Text  string `msgpack:"text,intern"`
	Bytes []byte
	Key   map[any]any
	Any2  map[string]any
	Texts []string
	Words map[string]string
}

// target is a type that hostile payloads are decoded into, and what a byte of them may
// cost, as the documentation of Msgpack and JSON has it.
type target struct {
	make   func() any
	factor uint64
}

func into[T any](largest uintptr) target {
	return target{func() any { return new(T) }, 128 + 4*uint64(largest)}
}

var targets = []target{
	into[any](16),
	into[int](0),
	into[bid](0),
	into[[]bid](reflect.TypeFor[bid]().Size()),
	into[[]big](reflect.TypeFor[big]().Size()),
	into[map[string]big](16 + reflect.TypeFor[big]().Size()),
	into[big](reflect.TypeFor[big]().Size()),
	into[maps](24),
	into[[]maps](24),
	into[map[string]any](32),
	into[[][]any](24),
	into[mixed](16 + reflect.TypeFor[mixed]().Size()),
	into[[]string](16),
	into[map[any]any](32),
	into[time.Time](0),
	into[[]*bid](reflect.TypeFor[bid]().Size()),
}

// allowance is for a message of any size: the error, and scratch of the decoder that
// is made once.
const allowance = 4 << 10

// cost is how many bytes f allocates.
func cost(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// decode is Decode as Recv calls it, where a panic is an error.
func decode(c typed.Codec, data []byte, v any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return c.Decode(data, v)
}

// hostile are payloads that make a decoder allocate as much as it can.
func hostile() map[string][]byte {
	count := func(code byte, n int) []byte { return binary.BigEndian.AppendUint32([]byte{code}, uint32(n)) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	const n = 1 << 14
	list := map[string][]byte{
		"claimed array":  {0xdd, 0xff, 0xff, 0xff, 0xff},
		"claimed map":    {0xdf, 0xff, 0xff, 0xff, 0xff},
		"claimed binary": {0xc6, 0xff, 0xff, 0xff, 0xff},
		"claimed string": {0xdb, 0x7f, 0xff, 0xff, 0xff},
		"claimed ext":    {0xc9, 0x7f, 0xff, 0xff, 0xff, 5},
		// An extension where a map is expected: the decoder takes its body for the
		// number of pairs.
		"map in ext":         {0xd6, 0xff, 0xdf, 0x0f, 0xff, 0xff, 0xff},
		"map in fixext 8":    {0xd7, 0xff, 0xdf, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0},
		"maps in ext":        join([]byte{0x91, 0xc7, 5, 5, 0xdf, 0x7f, 0xff, 0xff, 0xff}),
		"map in ext in map":  join([]byte{0x81, 0xa1, 'a', 0xc7, 5, 5, 0xdf, 0x7f, 0xff, 0xff, 0xff}),
		"field in ext":       join([]byte{0x81, 0xa2, 'B', 'y', 0xc7, 5, 5, 0xdf, 0x7f, 0xff, 0xff, 0xff}),
		"any map in ext":     join([]byte{0x81, 0xa4, 'A', 'n', 'y', '2', 0xc7, 5, 5, 0xdf, 0x0f, 0xff, 0xff, 0xff}),
		"nils":               join(count(0xdd, n), bytes.Repeat([]byte{0xc0}, n)),
		"empty arrays":       join(count(0xdd, n), bytes.Repeat([]byte{0x90}, n)),
		"empty maps":         join(count(0xdd, n), bytes.Repeat([]byte{0x80}, n)),
		"maps of one":        join(count(0xdd, n), bytes.Repeat([]byte{0x81, 0xa0, 0xc0}, n)),
		"maps of one map":    join(count(0xdd, n), bytes.Repeat([]byte{0x81, 0xa0, 0x80}, n)),
		"a map of empties":   join(count(0xdf, n), bytes.Repeat([]byte{0xa0, 0x80}, n)),
		"numbers":            join(count(0xdd, n), bytes.Repeat([]byte{0xcd, 1, 2}, n)),
		"strings":            join(count(0xdd, n), bytes.Repeat([]byte{0xa1, 'x'}, n)),
		"a long string":      join(count(0xdb, 4*n), make([]byte, 4*n)),
		"a long binary":      join(count(0xc6, 64*n), make([]byte, 64*n)),
		"deep arrays":        bytes.Repeat([]byte{0x91}, n),
		"a hundred arrays":   append(bytes.Repeat([]byte{0x91}, 100), 0),
		"deep maps":          bytes.Repeat([]byte{0x81, 0xa0}, n),
		"deep pointers":      bytes.Repeat([]byte{0x81, 0xa4, 'N', 'e', 'x', 't'}, n),
		"Ptr Ptr":            append(bytes.Repeat([]byte{0x81, 0xa3, 'P', 't', 'r'}, 99), 0x80),
		"JSON numbers":       []byte("[0" + strings.Repeat(",0", n) + "]"),
		"JSON empty arrays":  []byte("[[]" + strings.Repeat(",[]", n) + "]"),
		"JSON empty objects": []byte("[{}" + strings.Repeat(",{}", n) + "]"),
		"JSON objects":       []byte(`[{"":0}` + strings.Repeat(`,{"":0}`, n) + "]"),
		"JSON deep":          []byte(strings.Repeat("[", n)),
		"JSON deep objects":  []byte(strings.Repeat(`{"Ptr":`, n)),
		"JSON string":        []byte(`"` + strings.Repeat("x", n) + `"`),
		"JSON escapes":       []byte(`"` + strings.Repeat(`\u20ac`, n) + `"`),
	}
	for field, values := range map[string][]byte{
		"Many": {0x80}, "By": {0xa0, 0x80}, "Key": {0xcd, 1, 0, 0xc0}, "Texts": {0xa0}, "Words": {0xa0, 0xa0}, "Any": {0x80}, "Any2": {0xa0, 0x80},
	} {
		code := byte(0xdd)
		if len(values) > 1 {
			code = 0xdf
		}
		for _, repeat := range []int{1, 3} { // a name that comes again is decoded again
			b := append([]byte{0xde}, 0, byte(repeat))
			for range repeat {
				b = append(b, 0xa0|byte(len(field)))
				b = append(append(b, field...), count(code, 1000)...)
				b = append(b, bytes.Repeat(values, 1000)...)
			}
			list[fmt.Sprint(field, repeat)] = b
		}
	}
	var unique []byte
	for i := range uint16(n - 1) {
		unique = binary.BigEndian.AppendUint16(append(unique, 0xa2), i)
		unique = append(unique, 0xc0)
	}
	list["unknown names"] = join(count(0xdf, n-1), unique)
	return list
}

// A hostile payload costs no more than its size times the documented factor.
func TestHostilePayloadsCostWhatIsDocumented(t *testing.T) {
	worst := make(map[string]float64)
	for name, data := range hostile() {
		for _, to := range targets {
			for _, codec := range []typed.Codec{typed.Msgpack{}, typed.Msgpack{Strict: true}, typed.JSON{}, typed.JSON{Strict: true}} {
				decode(codec, nil, to.make()) // what is made once
				decode(codec, []byte{0x80}, to.make())
				v := to.make()
				got := cost(func() { decode(codec, data, v) })
				if limit := uint64(len(data))*to.factor + allowance; got > limit {
					t.Errorf("%s into %T by %T: %d bytes of payload cost %d bytes, want at most %d", name, v, codec, len(data), got, limit)
				}
				if len(data) > 10000 {
					what := fmt.Sprintf("%T %s", v, codec.Name())
					worst[what] = max(worst[what], float64(got)/float64(len(data)))
				}
			}
		}
	}
	for what, factor := range worst {
		t.Logf("%s: %.1f bytes for each byte of payload", what, factor)
	}
}

// The same with the payload taken from a socket.
func TestHostilePayloadCostsRecvLittle(t *testing.T) {
	push, pull := bare[any](t, typed.Msgpack{}, "tcp://127.0.0.1:*")
	ctx := soon(t)
	for name, data := range map[string][]byte{"array": {0xdd, 0xff, 0xff, 0xff, 0xff}, "map": {0xdf, 0xff, 0xff, 0xff, 0xff}, "deep": bytes.Repeat([]byte{0x91}, 1<<20)} {
		before := runtime.NumGoroutine()
		got := cost(func() {
			ok(t, push.Send(ctx, data))
			if _, err := pull.Recv(ctx); err == nil {
				t.Errorf("%s: got no error", name)
			}
		})
		// The message itself, in the sender's and the receiver's buffers.
		if limit := uint64(8*len(data) + 1<<20); got > limit {
			t.Errorf("%s: %d bytes cost %d, want at most %d", name, len(data), got, limit)
		}
		if after := runtime.NumGoroutine(); after > before+2 { // the connection's own
			t.Errorf("%s: %d goroutines became %d", name, before, after)
		}
	}
}

// FuzzRecv sends whatever the fuzzer makes as messages to typed sockets. No input may
// panic, cost more memory than documented, or end the socket; what is accepted must
// survive being encoded and decoded again.
func FuzzRecv(f *testing.F) {
	for _, data := range hostile() {
		if len(data) < 1<<12 {
			f.Add(byte(0), data)
			f.Add(byte(11), data)
		}
	}
	for i, codec := range []typed.Codec{typed.Msgpack{}, typed.Msgpack{Arrays: true}, typed.JSON{}} {
		v, m := full(), mixed{Any: 1.5, Many: []mixed{{Text: "abc"}}, By: map[string]mixed{"": {}}, Words: map[string]string{"a": "b"}}
		for _, v := range []any{&v, &m} {
			b, err := codec.Append(nil, v)
			if err != nil {
				continue // JSON has no maps with keys of any type
			}
			f.Add(byte(i), b)
			f.Add(byte(40+i), b)
		}
	}
	receivers := []receiver{
		newReceiver[any](f, 16), newReceiver[mixed](f, 16+reflect.TypeFor[mixed]().Size()), newReceiver[maps](f, 24),
		newReceiver[[]big](f, reflect.TypeFor[big]().Size()), newReceiver[map[string]any](f, 32), newReceiver[everything](f, reflect.TypeFor[everything]().Size()),
		newReceiver[map[any]any](f, 32), newReceiver[bid](f, 0), newReceiver[[]string](f, 16),
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		r := receivers[int(which/3)%len(receivers)]
		r.check(t, int(which%3), data)
	})
}

// receiver is a typed Recv with what is needed to look at it.
type receiver struct {
	check func(t *testing.T, codec int, data []byte)
}

func newReceiver[T any](f *testing.F, largest uintptr) receiver {
	codecs := []typed.Codec{typed.Msgpack{}, typed.JSON{}, typed.Msgpack{Strict: true}}
	ctx := context.Background()
	var pushes []*socket.Socket
	var pulls []*typed.Pull[T]
	for i, codec := range codecs {
		pull := must[*typed.Pull[T]](f)(typed.NewPull[T](&typed.Options{Codec: codec}))
		f.Cleanup(func() { pull.Close() })
		push := must[*socket.Socket](f)(socket.New(pattern.Push, nil))
		f.Cleanup(func() { push.Close() })
		ok(f, push.Connect(must[string](f)(pull.Bind(fmt.Sprintf("inproc://fuzz-%d-%T", i, *new(T))))))
		// Until the first message has come through, the sockets allocate in the background.
		ok(f, push.WaitPeers(ctx, 1))
		ok(f, push.Send(ctx, nil))
		if _, err := pull.Recv(ctx); err == nil {
			f.Fatalf("%T by %T: nothing is a value", *new(T), codec)
		}
		pushes, pulls = append(pushes, push), append(pulls, pull)
	}
	factor := 128 + 4*uint64(largest)
	return receiver{func(t *testing.T, which int, data []byte) {
		push, pull, codec := pushes[which], pulls[which], codecs[which]
		ok(t, push.Send(ctx, data))
		var v T
		var err error
		// The socket may copy the payload, too, and make room for more.
		got := cost(func() { v, err = pull.Recv(ctx) })
		if limit := uint64(len(data))*(factor+2) + 2*allowance; got > limit {
			t.Errorf("%T by %T: %d bytes of payload cost %d, want at most %d", v, codec, len(data), got, limit)
		}
		if err != nil {
			if _, is := errors.AsType[*typed.DecodeError](err); !is {
				t.Fatalf("%T by %T: got %v, want a *DecodeError or none", v, codec, err)
			}
			return
		}
		again, err := codec.Append(nil, &v)
		if err != nil {
			return // such as NaN as JSON
		}
		// A struct of which nothing was there can be deeper with its fields.
		if err := decode(codec, again, new(T)); err != nil && !strings.Contains(err.Error(), "deeper than") {
			t.Errorf("%T by %T: %v, encoded again as %x, is refused: %v", v, codec, v, again, err)
		}
	}}
}
