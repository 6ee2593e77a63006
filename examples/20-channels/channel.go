package main

import (
	"context"
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// channel returns a channel of the messages that a socket receives, until ctx is done,
// the socket is closed, or Recv fails; then the channel is closed, and failed says what
// was wrong, if it was neither of the first two.
//
// Receive from the channel until it is closed. A message that was taken from the
// socket waits there for as long as it must: were it thrown away when ctx is done,
// nobody would know of it.
func channel(ctx context.Context, s *socket.Socket) (messages <-chan *ringwire.Message, failed func() error) {
	c := make(chan *ringwire.Message)
	var failure error // written before c is closed, read after
	go func() {
		defer close(c)
		for m, err := range s.Messages(ctx) {
			if err != nil {
				if ctx.Err() == nil {
					failure = err
				}
				return
			}
			c <- m
			if ctx.Err() != nil { // Recv looks at ctx only when it has to wait
				return
			}
		}
	}()
	return c, func() error { return failure }
}

// send sends each value of a channel as a message of one frame, until the channel is
// closed, or ctx is done: the error then says which value was not sent.
func send(ctx context.Context, s *socket.Socket, values <-chan string) error {
	for value := range values {
		if err := s.Send(ctx, []byte(value)); err != nil {
			return fmt.Errorf("send %q: %w", value, err)
		}
	}
	return nil
}
