package ringwire_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/inproc"
	"github.com/ringwire/ringwire/transport/ipc"
	"github.com/ringwire/ringwire/transport/tcp"
)

var specs = []*pattern.Spec{
	pattern.Pair, pattern.Pub, pattern.Sub, pattern.XPub, pattern.XSub, pattern.Req, pattern.Rep,
	pattern.Dealer, pattern.Router, pattern.Push, pattern.Pull,
}

// The guide and the README say of each socket type whom it talks to, and the guide which
// of Send and Recv it does not have, as package pattern has it.
func TestSocketTypesAsDocumented(t *testing.T) {
	guide := strings.Join(strings.Fields(readFile(t, "docs/guide.md")), " ")
	rows := make(map[string][]string)
	for _, table := range tables(t, "README.md", "talks to") {
		for _, row := range table[1:] {
			rows[row[0]] = strings.Split(row[1], ", ")
		}
	}
	if len(rows) != len(specs) {
		t.Errorf("README.md has %d socket types, want %d", len(rows), len(specs))
	}
	names := regexp.MustCompile(`[A-Z]{3,}`)
	for _, spec := range specs {
		want := slices.Sorted(slices.Values(spec.Peers()))
		if got := slices.Sorted(slices.Values(rows[spec.Name()])); !slices.Equal(got, want) {
			t.Errorf("README.md: %s talks to %v, want %v", spec, got, want)
		}
		_, text, found := strings.Cut(guide, "- **"+spec.Name()+"** talks to ")
		if !found {
			t.Errorf("docs/guide.md does not say whom %s talks to", spec)
			continue
		}
		text, _, _ = strings.Cut(text, "- **") // the next type
		peers, _, _ := strings.Cut(text, ".")
		if got := slices.Sorted(slices.Values(names.FindAllString(peers, -1))); !slices.Equal(got, want) {
			t.Errorf("docs/guide.md: %s talks to %v, want %v", spec, got, want)
		}
		for call, has := range map[string]bool{"Send": spec.Sends(), "Recv": spec.Receives()} {
			if says := strings.Contains(text, "It has no "+call+"."); says == has {
				t.Errorf("docs/guide.md says that %s has no %s: %v, want %v", spec, call, says, !has)
			}
		}
	}
}

// Endpoints in the documents can be bound or connected to, as far as their syntax goes.
func TestDocumentedEndpoints(t *testing.T) {
	endpoints := regexp.MustCompile("[`\"]((?:tls\\+)?(?:tcp|ipc|inproc)://[^`\" ]+)[`\"]")
	n := 0
	for _, document := range documents(t) {
		for _, m := range endpoints.FindAllStringSubmatch(readFile(t, document), -1) {
			if strings.HasSuffix(m[1], "://host:port") {
				continue // the form, not an endpoint
			}
			n++
			scheme, address, err := transport.Split(m[1])
			if err == nil {
				switch scheme {
				case "inproc":
					err = inproc.Default.Check(address)
				case "ipc":
					err = either(ipc.Transport{}, address)
				default:
					err = either(tcp.Transport{}, address)
				}
			}
			if err != nil {
				t.Errorf("%s has an endpoint that nobody can use: %v", document, err)
			}
		}
	}
	if n < 50 {
		t.Errorf("got %d endpoints, want those of all documents", n)
	}
}

// either checks an address for binding and for connecting, one of which must do.
func either(s transport.Stream, address string) error {
	err := s.Check(address, true)
	if s.Check(address, false) == nil {
		return nil
	}
	return err
}
