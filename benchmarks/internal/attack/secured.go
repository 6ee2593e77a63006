package attack

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
)

// shakeOf is a CURVE handshake of an attacker whose key is allowed.
func (c *Conn) shakeOf() *curveShake {
	return newCurveShake(keyPair{c.Target.Keys.Evil, c.Target.Keys.EvilSecret}, c.Target.Keys.Server)
}

// initiated is a handshake up to INITIATE, which change has altered.
func initiated(name, event string, change func(c *Conn, s *curveShake) error) Input {
	return Input{Name: name, Event: event, Script: func(c *Conn) error {
		s := c.shakeOf()
		if err := c.welcomed(s); err != nil {
			return err
		}
		if err := change(c, s); err != nil {
			return err
		}
		return c.put(command("INITIATE", s.initiate(metadata(peerOf[c.Target.Victim]))...))
	}}
}

// after are messages on a connection that is ready.
func after(name string, want Want, traffic func(c *Conn) error) Input {
	input := Input{Name: name, Want: want, Script: func(c *Conn) error {
		if err := c.enter(); err != nil {
			return err
		}
		return traffic(c)
	}}
	if want == Refused {
		input.Event = badTraffic
	}
	return input
}

// pings are sealed PINGs with these nonces, counted from the first that is due.
func pings(nonces ...uint64) func(c *Conn) error {
	return func(c *Conn) error {
		first := c.curve.next
		for _, n := range nonces {
			c.curve.next = first + n
			if err := c.put(c.wire(flagCommand, []byte("\x04PING\x00\x00x"))); err != nil {
				return err
			}
		}
		return nil
	}
}

func replays(*Target) []Input {
	return []Input{
		after("a nonce skipped", Kept, pings(0, 5)),
		after("a nonce twice", Refused, pings(0, 0)),
		after("a lower nonce", Refused, pings(0, 4, 3)),
		after("a nonce of the handshake", Refused, func(c *Conn) error { return pings(-c.curve.next + 2)(c) }),
		after("nonce 0", Refused, func(c *Conn) error { return pings(-c.curve.next)(c) }),
		after("the last nonce, then the first", Refused, func(c *Conn) error { return pings(math.MaxUint64-c.curve.next, -c.curve.next)(c) }),
		after("a frame altered", Refused, func(c *Conn) error {
			b := c.wire(0, []byte("legitimate"))
			b[len(b)-1] ^= 1
			return c.put(b)
		}),
		after("a nonce altered", Refused, func(c *Conn) error {
			b := c.wire(0, []byte("legitimate"))
			b[2+8+7] ^= 0x40
			return c.put(b)
		}),
		initiated("the cookie of another connection", badHandshake, func(c *Conn, s *curveShake) error {
			other, err := c.Target.dial()
			if err != nil {
				return err
			}
			defer other.Close()
			its := c.shakeOf()
			if err := other.welcomed(its); err != nil {
				return fmt.Errorf("of the other connection: %w", err)
			}
			s.cookie = its.cookie
			return nil
		}),
		initiated("a cookie altered", badHandshake, func(_ *Conn, s *curveShake) error { s.cookie[20] ^= 1; return nil }),
		initiated("INITIATE with HELLO's nonce", badHandshake, func(_ *Conn, s *curveShake) error { s.last = 1; return nil }),
		{Name: "INITIATE twice", Event: badTraffic, Script: func(c *Conn) error {
			s := c.shakeOf()
			if err := c.shakeCurve(s, metadata(peerOf[c.Target.Victim])); err != nil {
				return err
			}
			return c.put(command("INITIATE", s.initiate(metadata(peerOf[c.Target.Victim]))...))
		}},
		{Name: "WELCOME reflected", Event: badHandshake, Script: func(c *Conn) error {
			if err := c.greet(command("HELLO", c.shakeOf().hello()...)); err != nil {
				return err
			}
			data, err := c.answer("WELCOME")
			if err != nil {
				return err
			}
			return c.put(command("WELCOME", data...))
		}},
		{Name: "HELLO twice", Event: badHandshake, Script: func(c *Conn) error {
			s := c.shakeOf()
			if err := c.welcomed(s); err != nil {
				return err
			}
			return c.put(command("HELLO", s.hello()...))
		}},
		{Name: "READY of a recorded session", Event: badHandshake, Script: func(c *Conn) error {
			if err := c.welcomed(c.shakeOf()); err != nil {
				return err
			}
			return c.put(command("READY", noise(80)...))
		}},
	}
}

// curveCommands are sizes and versions that are not CURVE's.
func curveCommands() (list []Input) {
	hello := func(name string, change func(data []byte) []byte) {
		list = append(list, Input{Name: "HELLO " + name, Event: badHandshake, Script: func(c *Conn) error {
			return c.greet(command("HELLO", change(c.shakeOf().hello())...))
		}})
	}
	hello("but a byte", func(b []byte) []byte { return b[:len(b)-1] })
	hello("and a byte", func(b []byte) []byte { return append(b, 0) })
	hello("of version 2", func(b []byte) []byte { b[0] = 2; return b })
	hello("with a box altered", func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
	return append(list, Input{Name: "a short INITIATE", Event: badHandshake, Script: func(c *Conn) error {
		s := c.shakeOf()
		if err := c.welcomed(s); err != nil {
			return err
		}
		return c.put(command("INITIATE", s.initiate(nil)[:200]...))
	}}, after("a MESSAGE of nothing", Refused, func(c *Conn) error { return c.put(frame(0, []byte("\x07MESSAGE"))) }),
		after("a frame that is not sealed", Refused, func(c *Conn) error { return c.put(frame(0, []byte("legitimate"))) }),
		after("a sealed frame of unknown flags", Refused, func(c *Conn) error { return c.put(c.curve.seal(flagMore|flagCommand, []byte("x"))) }),
		after("a sealed command without a name", Refused, func(c *Conn) error { return c.put(c.wire(flagCommand, nil)) }),
		after("a sealed PING of nothing", Refused, func(c *Conn) error { return c.put(c.wire(flagCommand, commandBody("PING"))) }),
		after("a sealed HELLO", Refused, func(c *Conn) error { return c.put(c.wire(flagCommand, commandBody("HELLO", make([]byte, 194)...))) }),
		after("a sealed command that is unknown", Kept, func(c *Conn) error { return c.put(c.wire(flagCommand, commandBody("WHATEVER"))) }),
	)
}

// lowOrder are points of Curve25519 with which a shared key is nobody's secret.
var lowOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func weakKeys(*Target) (list []Input) {
	for i, text := range lowOrder {
		point, err := hex.DecodeString(text)
		if err != nil {
			panic(fmt.Sprintf("a point of low order is in hexadecimal: %v", err))
		}
		list = append(list, Input{Name: fmt.Sprintf("transient key of low order, %d", i), Event: badHandshake, Script: func(c *Conn) error {
			s := c.shakeOf()
			s.claims = point
			// With such a key all shared keys are the same: of zeros.
			s.transient.public = [32]byte(point)
			return c.greet(command("HELLO", s.hello()...))
		}}, initiated(fmt.Sprintf("long-term key of low order, %d", i), badHandshake, func(_ *Conn, s *curveShake) error {
			s.own.public = [32]byte(point)
			return nil
		}))
	}
	random := make([]byte, 32)
	rand.Read(random) // it never fails
	return append(list,
		initiated("a vouch for another transient key", badHandshake, func(_ *Conn, s *curveShake) error { s.vouchFor = random; return nil }),
		initiated("a vouch for another server", badHandshake, func(_ *Conn, s *curveShake) error { s.vouchTo = random; return nil }),
		initiated("a legitimate peer's key without its secret", badHandshake, func(c *Conn, s *curveShake) error {
			s.own.public = c.Target.Keys.Good
			return nil
		}),
		Input{Name: "another server's key", Event: badHandshake, Script: func(c *Conn) error {
			s := newCurveShake(newKeyPair(), newKeyPair().public)
			return c.greet(command("HELLO", s.hello()...))
		}})
}

func denials(t *Target) (list []Input) {
	if t.Mechanism == "CURVE" {
		return []Input{{Name: "a key that is not allowed", Event: rejected, Script: func(c *Conn) error {
			return errors.Join(c.shakeCurve(newCurveShake(newKeyPair(), c.Target.Keys.Server), metadata(peerOf[c.Target.Victim])))
		}}}
	}
	for _, x := range []struct{ user, password, event string }{
		{evilUser, wrongPassword, rejected}, {evilUser, "", rejected}, {"", t.Keys.EvilPass, rejected}, {"nobody", t.Keys.EvilPass, rejected},
		{goodUser, t.Keys.EvilPass, rejected}, {userPanics, wrongPassword, rejected}, {userFails, wrongPassword, rejected}, {userWaits, wrongPassword, rejected},
	} {
		list = append(list, Input{Name: fmt.Sprintf("user %q", x.user), Event: x.event, Script: func(c *Conn) error {
			return c.shakeAs(metadata(peerOf[c.Target.Victim]), x.user, x.password)
		}})
	}
	return list
}

func guesses(*Target) []Input {
	// Each is another one; whoever waits for too long is let go without an answer.
	return []Input{{Name: "a legitimate user's name", Want: Either, Script: func(c *Conn) error {
		return c.shakeAs(metadata(peerOf[c.Target.Victim]), goodUser, rand.Text())
	}}, {Name: "an unknown name", Want: Either, Script: func(c *Conn) error {
		return c.shakeAs(metadata(peerOf[c.Target.Victim]), rand.Text(), rand.Text())
	}}}
}

func hellos(*Target) []Input {
	return []Input{
		{Name: "HELLO and no more", Want: Left, Script: func(c *Conn) error { return c.welcomed(c.shakeOf()) }},
		{Name: "INITIATE of a key that is not allowed", Event: rejected, Script: func(c *Conn) error {
			return c.shakeCurve(newCurveShake(newKeyPair(), c.Target.Keys.Server), metadata(peerOf[c.Target.Victim]))
		}},
	}
}
