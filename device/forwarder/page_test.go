package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/ringwire/ringwire/internal/peertest"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

var picture = flag.String("page.png", "", "write a picture of the live page, with traffic and a stalled subscriber, to this `file`")

// newBrowser starts a headless browser.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	path := peertest.Chromium(t)
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(guardTime), chromedp.WindowSize(1180, 900))
	if os.Getuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("end the browser: %v", err)
		}
		cancel()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// browser is a tab, for one test.
type browser struct {
	t   testing.TB
	ctx context.Context
}

// do runs a step within the guard time.
func (b *browser) do(step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, guardTime)
	defer cancel()
	if err := chromedp.Do(ctx, step); err != nil {
		b.t.Fatal(err)
	}
}

// value evaluates JavaScript, which is not subject to the page's policy.
func valueOf[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, guardTime)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for a condition in JavaScript.
func (b *browser) until(condition string) {
	b.t.Helper()
	eventually(b.t, condition, func() bool { return valueOf[bool](b, condition) })
}

// call is a command of the protocol.
func call[P, R any](b *browser, command cdp.Command[P, R], params P) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, guardTime)
	defer cancel()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		b.t.Fatal(err)
	}
}

// shoot writes a picture, if one was asked for.
func (b *browser) shoot(suffix string) {
	b.t.Helper()
	if *picture == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(strings.TrimSuffix(*picture, ".png")+suffix+".png", png, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`

func TestPage(t *testing.T) {
	b := &browser{t, newBrowser(t)}
	p := start(t, "--send-hwm", "200", "--send-buffer", "256KiB", "--heartbeat-interval", "200ms", "--name", "market data")

	var mu sync.Mutex
	var elsewhere, complaints []string
	if err := chromedp.Listen(b.ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(ev.Request.URL); err != nil || u.Scheme != "data" && "http://"+u.Host != p.admin {
				elsewhere = append(elsewhere, ev.Request.URL)
			}
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, ev.ExceptionDetails.Text)
		}
	}); err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	b.do(chromedp.Navigate(p.admin))
	b.until(`document.getElementById("state").textContent === "running"`)

	// Two subscribers that read, and one that does not.
	pub := newSocket(t, pattern.Pub, named("exchange"), p.frontend)
	readers := []*socket.Socket{newSocket(t, pattern.Sub, named("dashboard"), p.backend), newSocket(t, pattern.Sub, named("risk"), p.backend)}
	archive, err := socket.New(pattern.Sub, &socket.Options{RecvHWM: 10, RecvBuffer: 1, Metadata: map[string]string{"X-Name": "archive"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { archive.Close() })
	if err := errors.Join(archive.Subscribe("trades.1"), archive.Subscribe("trades.2"), archive.Connect(p.backend)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "three subscribers are there", func() bool { return p.stats().Backend.Peers == 3 })
	if err := pub.WaitSubscribers(patience(t), "", 1); err != nil {
		t.Fatal(err)
	}
	traffic(t, pub, readers...)

	// From the first drop that can be known, the page may take two seconds.
	eventually(t, "a subscriber misses something", func() bool { v, ok := p.peer(`"archive"`); return ok && v.Send.Dropped["total"] > 0 })
	since := time.Now()
	b.until(`document.querySelector("#backend tr.stalled") !== null`)
	if took := time.Since(since); took > 2*time.Second {
		t.Errorf("the page shows the stalled subscriber after %v, want at most 2s", took)
	}
	for _, condition := range []string{
		`[...document.querySelectorAll("#backend tr.stalled td")].some((td) => td.textContent.includes('"archive"'))`,
		`!document.getElementById("trouble").hidden`,
		`Number(document.querySelector("#backend tr.stalled td.bad span").textContent.replaceAll(",", "")) > 0`,
		`document.title.includes("stalled")`,
		`document.querySelectorAll("#frontend tbody tr").length === 1`,
		`document.getElementById("events").children.length > 0`,
		// Heartbeats measure the round trip of whoever answers.
		`[...document.querySelectorAll('#backend td[data-name="round trip"]')].some((td) => /[µm]s$/.test(td.textContent))`,
	} {
		b.until(condition)
	}

	if *picture != "" {
		within(t, 2*time.Minute, "the plot has a past", func() bool { return valueOf[int](b, `plot.points.length`) >= 100 })
	}
	b.shoot("")
	// What a peer chose is text.
	newSocket(t, pattern.Sub, named(hostile), p.backend)
	b.until(`[...document.querySelectorAll("#backend td")].some((td) => td.textContent.includes("<img src=x"))`)
	if found := valueOf[int](b, `document.querySelectorAll("main img, main script").length`); found != 0 {
		t.Errorf("the name of a peer made %d elements", found)
	}

	for _, view := range []struct {
		name   string
		width  int64
		scheme string
	}{{"desk", 1180, "light"}, {"phone", 390, "dark"}, {"narrow", 320, "light"}} {
		call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: view.width, Height: 800, DeviceScaleFactor: 1, Mobile: view.width < 500})
		call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.scheme}}})
		if over := valueOf[float64](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%s: the page is %g pixels wider than the screen", view.name, over)
		}
		background := valueOf[string](b, `getComputedStyle(document.body).backgroundColor`)
		if dark := background == "rgb(15, 20, 27)"; dark != (view.scheme == "dark") {
			t.Errorf("%s: the background is %s in a %s scheme", view.name, background, view.scheme)
		}
		b.shoot("-" + view.name)
	}

	// The buttons work, and the page tells when nobody answers.
	b.do(chromedp.Click("#pause"))
	b.until(`document.getElementById("state").textContent === "paused"`)
	eventually(t, "it is paused", func() bool { return p.stats().State == "paused" })
	b.do(chromedp.Click("#resume"))
	b.until(`document.getElementById("state").textContent === "running"`)
	p.cmd.Process.Kill()
	b.until(`!document.getElementById("lost").hidden && document.getElementById("state").textContent === "no answer"`)

	mu.Lock()
	defer mu.Unlock()
	if len(elsewhere) > 0 {
		t.Errorf("the page asked elsewhere: %q", elsewhere)
	}
	if len(complaints) > 0 {
		t.Errorf("the page has errors: %q", complaints)
	}
}

// traffic publishes, in waves, until the test ends, and has subscribers read.
func traffic(t testing.TB, pub *socket.Socket, readers ...*socket.Socket) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		all.Wait()
	})
	all.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		body := make([]byte, 4000)
		for i := 0; ; i++ {
			for n := range 10 + int(4*math.Sin(float64(i)/300)) {
				if pub.Send(ctx, fmt.Appendf(nil, "trades.%d", n%5), body) != nil {
					return
				}
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	for _, r := range readers {
		all.Go(func() {
			for {
				m, err := r.Recv(ctx)
				if err != nil {
					return
				}
				m.Release()
			}
		})
	}
}
