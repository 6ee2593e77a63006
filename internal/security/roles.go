package security

// Judging is a Mechanism whose connections ask for a verdict: the server's side of
// PLAIN and CURVE.
type Judging interface {
	Mechanism
	Judges()
}

// Judges implements Judging.
func (*PlainServer) Judges() {}

// Judges implements Judging.
func (*CurveServer) Judges() {}
