package socket_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/plain"
	"github.com/ringwire/ringwire/transport"
)

// hostileRefuse expects that New refuses options, naming option and value.
func hostileRefuse(t *testing.T, spec *pattern.Spec, opts *socket.Options, why error, names ...string) {
	t.Helper()
	use := hostileUse()
	s, err := socket.New(spec, opts)
	if s != nil {
		s.Close()
	}
	if s != nil || err == nil {
		t.Errorf("New(%v) with %v: got a socket, want an error", spec, names)
		return
	}
	hostileRefused(t, fmt.Sprintf("New(%v)", spec), err, why, names...)
	use.returns(t, 0)
}

// Every option that is a number refuses -2, by its name.
func TestSEC12NumericOptions(t *testing.T) {
	fields := reflect.VisibleFields(reflect.TypeFor[socket.Options]())
	numbers := 0
	for _, field := range fields {
		if k := field.Type.Kind(); k != reflect.Int && k != reflect.Int64 {
			continue
		}
		numbers++
		for _, value := range []int64{-2, math.MinInt32} {
			opts := new(socket.Options)
			reflect.ValueOf(opts).Elem().FieldByIndex(field.Index).SetInt(value)
			text := fmt.Sprint(value)
			if field.Type == reflect.TypeFor[time.Duration]() {
				text = time.Duration(value).String()
			}
			hostileRefuse(t, pattern.Pub, opts, nil, "option "+field.Name+" ", text)
		}
	}
	if numbers < 20 {
		t.Errorf("options that are numbers: got %d, want at least 20", numbers)
	}
}

func TestSEC12OptionValues(t *testing.T) {
	for name, opts := range map[string]socket.Options{
		"HeartbeatTTL is 1m5.501s":       {HeartbeatTTL: 65501 * time.Millisecond},
		"HeartbeatTTL is -1ns":           {HeartbeatTTL: -1},
		"TOS is 256":                     {TOS: 256},
		"TOS is -1":                      {TOS: -1},
		"Backlog is -1":                  {Backlog: -1},
		"SendBuffer is -1":               {SendBuffer: -1},
		"RecvBuffer is -1":               {RecvBuffer: -1},
		"UserTimeout is 2562047h":        {UserTimeout: 1<<63 - 1},
		"OnFull is 5":                    {OnFull: 5},
		"OnFull is -1":                   {OnFull: -1},
		"OnFull is 4":                    {OnFull: socket.FullDisconnect, XPubNoDrop: true},
		"ReconnectMax is 1s":             {ReconnectMin: 2 * time.Second, ReconnectMax: time.Second},
		"Linger is -1ns":                 {Linger: -1, NoLinger: true},
		"Identity is 0 bytes":            {Identity: []byte{}},
		"Identity is 256 bytes":          {Identity: make([]byte, 256)},
		`Identity is 2 bytes, "\x00a"`:   {Identity: []byte("\x00a")},
		"Identity is 1048576 bytes":      {Identity: slices.Repeat([]byte("i"), 1<<20)},
		`Metadata is name "User-Id"`:     {Metadata: map[string]string{"User-Id": "x"}},
		`Metadata is name "x-lower"`:     {Metadata: map[string]string{"x-lower": "x"}},
		`Metadata is name ""`:            {Metadata: map[string]string{"": "x"}},
		`Metadata is name "Socket-Type"`: {Metadata: map[string]string{"Socket-Type": "PUB"}},
		`Metadata is name "X-nnn`:        {Metadata: map[string]string{"X-" + strings.Repeat("n", 254): "x"}},
		"Metadata is 32776 bytes":        {Metadata: map[string]string{"X-B": strings.Repeat("b", 32<<10)}},
		"Transports is nil at index 0":   {Transports: []transport.Transport{nil}},
	} {
		hostileRefuse(t, pattern.Pub, &opts, nil, "option "+name)
	}
	hostileRefuse(t, pattern.Pub, &socket.Options{TOS: 256, OnFull: 9, Identity: []byte{}}, nil, "TOS", "OnFull", "Identity") // all at once
	hostileRefuse(t, pattern.Pub, &socket.Options{Transports: []transport.Transport{hostileOdd{}}}, nil, "Transports", "hostileOdd")
	hostileRefuse(t, nil, nil, nil, "socket type is nil")
	hostileRefuse(t, pattern.Push, &socket.Options{RequeueUnsent: true, Conflate: true}, nil, "RequeueUnsent", "Conflate")
	hostileRefuse(t, pattern.Pub, &socket.Options{Mechanism: hostileMechanism{}}, nil, "Mechanism", "hostileMechanism")
	hostileRefuse(t, pattern.Pub, &socket.Options{Mechanism: plain.Server()}, nil, "Authenticator", "PLAIN")
	_, err := socket.Probe(t.Context(), "tcp://127.0.0.1:1", &socket.Options{TOS: 256})
	hostileRefused(t, "Probe", err, nil, "option TOS is 256", "tcp://127.0.0.1:1")
}

// hostileOdd is a transport of no known kind.
type hostileOdd struct{}

func (hostileOdd) Scheme() string { return "odd" }

type hostileMechanism struct{}

func (hostileMechanism) Name() string { return "ODD" }

// Options that only some socket types have.
func TestSEC12OptionTypes(t *testing.T) {
	publishers := []*pattern.Spec{pattern.Pub, pattern.XPub}
	conflate := []*pattern.Spec{pattern.Push, pattern.Pull, pattern.Pub, pattern.Sub, pattern.Dealer}
	for _, spec := range hostileSpecs {
		for _, x := range []struct {
			opts socket.Options
			on   []*pattern.Spec
			name string
		}{
			{socket.Options{OnFull: socket.FullBlock}, hostileSpecs, "OnFull is 1"},
			{socket.Options{OnFull: socket.FullDropNewest}, publishers, "OnFull is 2"},
			{socket.Options{OnFull: socket.FullDropOldest}, publishers, "OnFull is 3"},
			{socket.Options{OnFull: socket.FullDisconnect}, publishers, "OnFull is 4"},
			{socket.Options{Conflate: true}, conflate, "Conflate is true"},
		} {
			if !slices.Contains(x.on, spec) {
				hostileRefuse(t, spec, &x.opts, nil, "option "+x.name, "on a "+spec.Name()+" socket")
				continue
			}
			s, err := socket.New(spec, &x.opts)
			if err != nil {
				t.Errorf("New(%v) with %s: %v", spec, x.name, err)
				continue
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Options that New takes must work: metadata of many small properties is
// refused at once, or gets through.
func TestSEC12ManyProperties(t *testing.T) {
	for _, count := range []int{200, 254, 255, 300, 2000} {
		metadata := make(map[string]string)
		for i := range count {
			metadata[fmt.Sprint("X-", i)] = ""
		}
		opts := &socket.Options{Metadata: metadata, Identity: []byte("me"), ReconnectMin: -1}
		dealer, err := socket.New(pattern.Dealer, opts)
		if err != nil {
			hostileRefused(t, "New", err, nil, "option Metadata")
			if count <= 254 {
				t.Errorf("New with %d properties: got %v, want a socket", count, err)
			}
			continue
		}
		router := hostileSocket(t, pattern.Router, nil)
		events := hostileWatch(dealer)
		if err := dealer.Connect("tcp://" + hostileBind(t, router, "tcp://127.0.0.1:0")); err != nil {
			t.Fatal(err)
		}
		ev := events.wait(t, "ready or not", func(e *socket.Event) bool { return e.Kind == socket.Ready || hostileEnds(e.Kind) })
		if ev.Kind != socket.Ready {
			t.Errorf("%d properties: New took them, then got %v with %v", count, ev.Kind, ev.Err)
		}
		for _, s := range []*socket.Socket{dealer, router} {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// New copies what it is given.
func TestSEC12OptionsAreCopied(t *testing.T) {
	opts := &socket.Options{Identity: []byte("me"), Metadata: map[string]string{"X-A": "1"}}
	dealer := hostileSocket(t, pattern.Dealer, opts)
	defer dealer.Close()
	opts.Identity[0], opts.Metadata["X-A"], opts.Metadata["User-Id"], opts.SendHWM = 0, "2", "root", -5
	router := hostileSocket(t, pattern.Router, nil)
	defer router.Close()
	if err := dealer.Connect("tcp://" + hostileBind(t, router, "tcp://127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
	defer cancel()
	if err := router.WaitPeers(ctx, 1); err != nil {
		t.Fatal(err)
	}
	p := router.Peers()[0]
	if string(p.Identity) != "me" || p.Metadata["X-A"] != "1" || p.Metadata["User-Id"] != "" {
		t.Errorf("options changed after New: got identity %q, metadata %v", p.Identity, p.Metadata)
	}
}
