package main

import (
	"fmt"
	"io"
	"log/slog"

	"go.yaml.in/yaml/v3"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/socket"
)

// device makes the device that c describes, with the keys that were read from its
// files. It is bound and connected nowhere. A nil log is silence.
func (c *config) device(ring keyring, log *slog.Logger) (*device.Device, error) {
	front, back := c.options(), c.options()
	for i, o := range [2]*socket.Options{front, back} {
		files, _ := c.curve(i)
		if err := files.secure(o, ring[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", sideNames[i], err)
		}
	}
	if log != nil {
		front.Logger, back.Logger = log.With("side", "frontend"), log.With("side", "backend")
	}
	switch c.Kind.value {
	case "queue":
		return device.NewQueue(front, back, nil)
	case "streamer":
		return device.NewStreamer(front, back, nil)
	}
	back.OnFull = policies[c.OnFull.value]
	return device.NewForwarder(front, back, nil)
}

// roles are what the peers on either side do, by kind.
var roles = map[string][2]string{
	"forwarder": {"publishers", "subscribers"},
	"queue":     {"clients", "workers"},
	"streamer":  {"producers", "consumers"},
}

// print writes c as a file.
func (c *config) print(w io.Writer) error {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, s := range c.settings() {
		key := &yaml.Node{Kind: yaml.ScalarNode, Value: s.name}
		node := new(yaml.Node)
		var list []string
		switch v := s.value.(type) {
		case *endpoints:
			for _, e := range v.list {
				list = append(list, e.String())
			}
		case *texts:
			list = v.list
		case *text:
			node.SetString(v.value)
		default:
			*node = yaml.Node{Kind: yaml.ScalarNode, Value: v.String()}
		}
		if s.value.isList() {
			if err := node.Encode(list); err != nil {
				return fmt.Errorf("print %s: %w", s.name, err)
			}
			if len(list) == 0 {
				node.Style = yaml.FlowStyle
			}
		}
		root.Content = append(root.Content, key, node)
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return fmt.Errorf("print the configuration: %w", err)
	}
	return e.Close()
}

// sideNames are the settings of the endpoints of a device's two sockets.
var sideNames = [2]string{"frontend", "backend"}

// side is one socket of the running device, and where it is bound and connected.
// It is owned by the goroutine of service.run.
type side struct {
	name   string
	role   string
	socket *socket.Socket
	secure bool                // it encrypts
	bound  map[endpoint]string // as it was resolved
}

// add binds or connects. A tcp endpoint that turns out to be reachable from other
// machines is closed again, unless it is encrypted or insecure.
func (s *side) add(e endpoint, insecure bool) error {
	if e.connects {
		if err := s.socket.Connect(e.address); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		s.bound[e] = e.address
		return nil
	}
	bound, err := s.socket.Bind(e.address)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	if why := (endpoint{address: bound}).exposed(); why != "" && !s.secure && !insecure {
		s.socket.Unbind(bound)
		return fmt.Errorf("%s %s is %s, %s: want encryption, see %s-curve-allow, a loopback address, or --insecure", s.name, e, bound, why, s.name)
	}
	s.bound[e] = bound
	return nil
}

// remove undoes add. What is queued there is delivered for as long as the socket
// lingers; nobody waits for that.
func (s *side) remove(e endpoint) error {
	bound, ok := s.bound[e]
	if !ok {
		return nil
	}
	delete(s.bound, e)
	undo := s.socket.Unbind
	if e.connects {
		undo = s.socket.Disconnect
	}
	if err := undo(bound); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}
