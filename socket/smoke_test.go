package socket_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func TestSmoke(t *testing.T) {
	for _, ep := range []string{"tcp://127.0.0.1:0", "ipc://*", "inproc://smoke"} {
		t.Run(ep, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			pull, err := socket.New(pattern.Pull, nil)
			if err != nil {
				t.Fatal(err)
			}
			push, _ := socket.New(pattern.Push, nil)
			at, err := pull.Bind(ep)
			if err != nil {
				t.Fatal(err)
			}
			if err := push.Connect(at); err != nil {
				t.Fatal(err)
			}
			n := 100000
			go func() {
				for i := range n {
					if err := push.Send(ctx, []byte(fmt.Sprint(i))); err != nil {
						t.Error(err)
						return
					}
				}
			}()
			for i := range n {
				m, err := pull.Recv(ctx)
				if err != nil {
					t.Fatal(i, err, pull.Stats(), push.Stats())
				}
				if string(m.Bytes()) != fmt.Sprint(i) {
					t.Fatalf("got %q want %d", m.Bytes(), i)
				}
				m.Release()
			}
			rep, _ := socket.New(pattern.Rep, nil)
			req, _ := socket.New(pattern.Req, nil)
			ep2 := ep
			if ep2 == "inproc://smoke" {
				ep2 = "inproc://smoke2"
			}
			at, err = rep.Bind(ep2)
			if err != nil {
				t.Fatal(err)
			}
			req.Connect(at)
			go func() {
				for {
					m, err := rep.Recv(ctx)
					if err != nil {
						return
					}
					rep.SendMessage(ctx, m)
				}
			}()
			for i := range 1000 {
				m, err := req.Do(ctx, []byte(fmt.Sprint(i)), nil, []byte("x"))
				if err != nil {
					t.Fatal(i, err)
				}
				if m.Len() != 3 || string(m.Frame(0)) != fmt.Sprint(i) {
					t.Fatal("bad", m.Len())
				}
				m.Release()
			}
			for _, s := range []*socket.Socket{push, req, pull, rep} {
				t0 := time.Now()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				t.Log(s.Type(), time.Since(t0))
			}
		})
	}
}
