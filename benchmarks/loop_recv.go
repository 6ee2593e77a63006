package main

// receive receives until the last end mark of the slice. Latencies go to h,
// if that is not nil. Messages of other slices, which come after a drop or a
// repeated mark, are ignored.
func (s *linkStation) receive(l link, spec sliceSpec, d *delivery, h *histogram) error {
	c := newClock()
	for marks := s.role.marks(); marks > 0; {
		b, err := l.recv()
		if err != nil {
			return err
		}
		if err := s.check(b); err != nil {
			return err
		}
		switch {
		case b[numberOffset] != spec.Number:
		case b[0] == kindEnd:
			marks--
		default:
			if h != nil {
				h.record(c.now() - due(b))
			}
			d.add(c)
		}
	}
	return nil
}
