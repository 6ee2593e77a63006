package chaos

import (
	"net"
	"sync"
)

// nameServer answers every question for an IPv4 address with the same one, which
// can change, and every other question with nothing.
type nameServer struct {
	conn net.PacketConn
	done sync.WaitGroup

	mu      sync.Mutex
	address net.IP // guarded by mu
}

// movingName is the name that it is asked for.
const movingName = "service.chaos.test"

func newNameServer(address string) (*nameServer, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &nameServer{conn: conn}
	s.move(address)
	s.done.Go(s.serve)
	return s, nil
}

func (s *nameServer) move(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address = net.ParseIP(address).To4()
}

func (s *nameServer) close() {
	s.conn.Close()
	s.done.Wait()
}

func (s *nameServer) serve() {
	buf := make([]byte, 512)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer := s.answer(buf[:n]); answer != nil {
			_, _ = s.conn.WriteTo(answer, from) // else it is asked again
		}
	}
}

// answer makes an answer of a question: RFC 1035, section 4.1.
func (s *nameServer) answer(q []byte) []byte {
	const header, typeA = 12, 1
	if len(q) < header {
		return nil
	}
	end := header
	for end < len(q) && q[end] != 0 {
		end += 1 + int(q[end])
	}
	end += 5 // the root, type and class
	if end > len(q) {
		return nil
	}
	a := append([]byte(nil), q[:end]...)
	a[2], a[3] = 0x84|q[2]&1, 0x80 // an authoritative answer
	copy(a[4:], []byte{0, 1, 0, 0, 0, 0, 0, 0})
	if q[end-3] != typeA || q[end-4] != 0 {
		return a
	}
	a[7] = 1
	s.mu.Lock()
	defer s.mu.Unlock()
	// The name of the question, A, IN, no time to live.
	a = append(a, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4)
	return append(a, s.address...)
}
