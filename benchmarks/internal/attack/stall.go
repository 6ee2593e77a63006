package attack

import (
	"slices"
	"time"
)

func stalls(t *Target) (list []Input) {
	for name, b := range t.stages() {
		list = append(list, Input{Name: name, Send: b, Want: Left})
	}
	if t.Mechanism == "CURVE" { // the state that a key exchange has led to
		list = append(list, Input{Name: "silent after WELCOME", Want: Left, Script: func(c *Conn) error {
			return c.welcomed(c.shakeOf())
		}})
	}
	if t.Mechanism == "PLAIN" {
		list = append(list, Input{Name: "silent after WELCOME", Want: Left, Script: func(c *Conn) error {
			if err := c.greet(c.Target.first()); err != nil {
				return err
			}
			_, err := c.answer("WELCOME")
			return err
		}})
	}
	return list
}

func timeouts(t *Target) (list []Input) {
	for name, b := range t.stages() {
		list = append(list, Input{Name: name, Send: b, Event: lateShake})
	}
	drip := slices.Concat(greeting(3, 1, t.Mechanism, 0), header(flagCommand, 60<<10), make([]byte, 60<<10))
	return append(list, Input{Name: "a byte now and then", Event: lateShake, Script: func(c *Conn) error {
		const pause = 10 * time.Millisecond
		for i := range drip {
			if err := c.put(drip[i : i+1]); err != nil {
				return nil // as it should
			}
			time.Sleep(pause)
		}
		return errDeaf // it has taken all
	}})
}

// evictions are silent: who of them is ended to make room is not told.
func evictions(t *Target) []Input {
	return []Input{{Name: "nothing", Want: Either}, {Name: "greeting", After: InGreeting, Want: Either}}
}

func crowd(*Target) []Input {
	return []Input{{Name: "ready", After: WhenReady, Want: Kept}}
}

func crowdLeft(*Target) []Input {
	return []Input{{Name: "silent", Want: Left}}
}

func rush(*Target) []Input {
	return []Input{{Name: "ready", After: WhenReady, Want: Either}}
}

func declarations(t *Target) (list []Input) {
	part := frame(flagMore, []byte("a"))
	for name, b := range map[string][]byte{
		"message":      append(header(0, 64<<20), 1),
		"4 MiB":        append(header(0, 4<<20), 1), // a size that buffers are recycled in
		"command":      append(header(flagCommand, 64<<20), 1),
		"second frame": slices.Concat(part, header(0, 32<<20), []byte{1}),
		"command amid": slices.Concat(part, header(flagCommand, 64<<20), []byte{1}),
		"chunks":       append(header(0, 64<<20), make([]byte, 30_000)...),
		"more":         append(header(flagMore, 64<<20), make([]byte, 9000)...),
	} {
		list = append(list, Input{Name: name, After: WhenReady, Send: b, Want: Left})
	}
	return list
}

// visits are connections that end at every stage.
func visits(t *Target) []Input {
	list := stalls(t)
	part := frame(flagMore, []byte("part"))
	late := map[string][]byte{
		"at once": nil, "one byte": {0}, "declared": header(0, 1<<20), "begun": append(header(0, 1<<20), make([]byte, 10_000)...), "a frame": part,
	}
	if t.Mechanism != "CURVE" {
		late["a command amid"] = slices.Concat(part, header(flagCommand, 1<<20))
		late["PING"] = ping(0, "x")
		late["SUBSCRIBE"] = topic([]byte("evil"), true, true)
		late["a long subscription"] = topic(make([]byte, 20_000), true, false)
	}
	for name, b := range late {
		list = append(list, Input{Name: "ready, " + name, After: WhenReady, Send: b, Want: Left})
	}
	// With CURVE, what is no MESSAGE ends the connection; who is first is not told.
	for i := range list {
		list[i].Want = Either
	}
	return list
}
