package interop_test

import (
	"encoding/hex"
	"testing"
)

// TestLibzmq is the matrix: every pair of socket types, either side binding,
// on tcp and ipc. In each cell numbered messages and then every shape of
// message go each way that the pair has, content and order are checked.
func TestLibzmq(t *testing.T) {
	py := startPython(t)
	v := py.call(command{"op": "version"})
	t.Logf("peer: libzmq %s, pyzmq %s", v.Libzmq, v.Pyzmq)
	for _, p := range pairs {
		t.Run(p.name(), func(t *testing.T) {
			for _, side := range sides {
				t.Run(side, func(t *testing.T) {
					for _, transport := range transports {
						t.Run(transport, func(t *testing.T) {
							cell(t, p, side, transport, *messages, shapes, newPyCounterpart(t, py, p))
						})
					}
				})
			}
		})
	}
}

// pyCounterpart is a libzmq socket as a side of a cell.
type pyCounterpart struct {
	*pySocket
	publishes bool
}

func newPyCounterpart(t testing.TB, py *python, p pair) *pyCounterpart {
	t.Helper()
	set := settings{}
	switch p.theirs {
	case "PUB", "XPUB":
		set["XPUB_NODROP"] = 1
	case "SUB":
		set["SUBSCRIBE"] = ""
	case "XSUB":
		set["SNDHWM"] = 0 // it drops what has no room
	case "REP":
		set["SNDHWM"] = 0 // it drops a reply that has no room
	case "ROUTER":
		set["ROUTER_MANDATORY"] = 1
	}
	switch p.theirs {
	case "REQ", "DEALER", "ROUTER":
		set["ROUTING_ID"] = theirName
	}
	here := &python{py.process, t} // failures belong to this cell
	s := here.open(t.Name(), p.theirs, p.way.settings(set))
	if p.theirs == "XSUB" {
		s.send("\x01")
	}
	return &pyCounterpart{s, p.theirs == "PUB"}
}

func (c *pyCounterpart) begin(p *plan) func() error {
	wait := c.start(command{"op": "run", "id": c.id, "plan": map[string]any{
		"role": p.role, "numbered": p.numbered, "shapes": p.shapes,
		"notice": p.notice, "await_sync": p.awaitSync,
		"send_prefix": prefixHex(p.sendPrefix), "recv_prefix": prefixHex(p.recvPrefix),
	}})
	return func() error {
		_, err := wait()
		return err
	}
}

func (c *pyCounterpart) probes() bool { return c.publishes }

func (c *pyCounterpart) probe() error {
	_, err := c.start(command{"op": "send", "id": c.id, "messages": [][]string{{hex.EncodeToString(syncBody)}}})()
	return err
}

func prefixHex(list [][]byte) []string {
	out := make([]string, len(list))
	for i, f := range list {
		if out[i] = hex.EncodeToString(f); string(f) == string(anyFrame) {
			out[i] = "*"
		}
	}
	return out
}
