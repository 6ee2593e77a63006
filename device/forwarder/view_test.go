package main

import (
	"encoding/json"
	"testing"

	"github.com/ringwire/ringwire/socket"
)

// TestViewPeers: of many peers those in trouble are shown first, and no more than
// the limit; without one, all are, as they came.
func TestViewPeers(t *testing.T) {
	sn := new(snapshot)
	for i := range 500 {
		p := peerState{State: fine, PeerInfo: socket.PeerInfo{Endpoint: "e", Connections: i}}
		switch i {
		case 400:
			p.State = stalled
		case 401:
			p.State, p.SendDropped.HWM = dropping, 5
		case 402:
			p.State, p.SendDropped.HWM = dropping, 7
		case 403:
			p.State = connecting
		}
		sn.Sides[i%2].Peers = append(sn.Sides[i%2].Peers, p)
	}
	first := viewPeers(sn, 200)
	if len(first) != 200 {
		t.Fatalf("%d peers, want 200", len(first))
	}
	for i, want := range []int{400, 402, 401, 403, 0} {
		if got := first[i].Connections; got != want {
			t.Errorf("place %d has peer %d, want %d", i, got, want)
		}
	}
	all := viewPeers(sn, 0)
	if len(all) != 500 || all[0].Connections != 0 || all[250].Connections != 1 || all[250].Side != "backend" {
		t.Errorf("%d peers, the first is %d, number 250 is %d", len(all), all[0].Connections, all[250].Connections)
	}
	if none, err := json.Marshal(viewPeers(new(snapshot), 0)); err != nil || string(none) != "[]" {
		t.Errorf("no peers are %s, %v", none, err)
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", `with "quotes"`: `with "quotes"`, "日本": "日本",
		"a\nb": `"a\nb"`, "\x1b[31m": `"\x1b[31m"`, "\xff": `"\xff"`, "\u202e": `"\u202e"`, "": "",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}
