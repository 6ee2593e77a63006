package result

// Outcome is what the interval of a ratio shows.
type Outcome int

// Outcomes of a pair. Neutral is a pair that cannot be won: with a limit, and
// among variants of our own.
const (
	Neutral Outcome = iota
	NoDifference
	Better
	Worse
	TooFew // slices for a verdict
)

func (o Outcome) String() string {
	switch o {
	case Better:
		return "better"
	case Worse:
		return "worse"
	case NoDifference:
		return "no difference shown"
	case TooFew:
		return "too few slices for a verdict"
	}
	return ""
}

// Pair is one of our contenders beside another in the same row.
type Pair struct {
	Row         *Row
	Ours, Other *Contender
	Ratio       Estimate // of the values, ours/other
	OK          bool     // there is a ratio
	Outcome     Outcome  // for ours
}

// Pair puts two of the row's contenders beside each other.
func (r *Row) Pair(ours, other *Contender) Pair {
	p := Pair{Row: r, Ours: ours, Other: other}
	p.Ratio, p.OK = Ratio(ours, other, Value)
	switch {
	case !p.OK, IsLimit(other.Label), IsOurs(other.Label):
	case p.Ratio.IsRange():
		p.Outcome = TooFew
	case p.Ratio.Above(1) && !r.LowerBetter, p.Ratio.Below(1) && r.LowerBetter:
		p.Outcome = Better
	case p.Ratio.Above(1), p.Ratio.Below(1):
		p.Outcome = Worse
	default:
		p.Outcome = NoDifference
	}
	return p
}

// Pairs returns each of our contenders beside each other library, limit and
// plain Go, and the first of ours beside its variants.
func (r *Row) Pairs() []Pair {
	var pairs []Pair
	for i := range r.Contenders {
		ours := &r.Contenders[i]
		if !IsOurs(ours.Label) {
			continue
		}
		for j := range r.Contenders {
			other := &r.Contenders[j]
			if IsOurs(other.Label) && (ours.Label != Ours || other == ours) {
				continue
			}
			pairs = append(pairs, r.Pair(ours, other))
		}
	}
	return pairs
}
