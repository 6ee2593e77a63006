package zap_test

import (
	"fmt"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/plain"
	"github.com/ringwire/ringwire/socket/zap"
)

// A server that asks the program's ZAP handler.
func ExampleAuthenticator() {
	ask, err := zap.Authenticator("global")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := socket.New(pattern.Pull, &socket.Options{Mechanism: plain.Server(), Authenticator: ask})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Close())
	// Output: <nil>
}
