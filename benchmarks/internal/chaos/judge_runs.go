package chaos

import (
	"fmt"
	"slices"
	"strings"
)

// joinRuns has what is missing at a receiver be so many runs of messages, of each
// lane, as the flow says. What went missing one here and one there was lost in
// another way than by a cut.
func (j *judgement) joinRuns(seat string, seen map[key]bool) {
	lanes := make(map[uint32][]uint64)
	for k, fate := range j.fates {
		if fate == Accepted {
			lanes[k.lane] = append(lanes[k.lane], k.seq)
		}
	}
	for lane, list := range lanes {
		slices.Sort(list)
		// Before its first message a subscriber had not subscribed.
		begun := !j.flow.Copies
		var runs [][2]uint64
		inside := false
		for _, seq := range list {
			here := seen[key{lane, seq}]
			begun = begun || here
			switch {
			case here || !begun:
				inside = false
			case inside:
				runs[len(runs)-1][1] = seq
			default:
				runs, inside = append(runs, [2]uint64{seq, seq}), true
			}
		}
		if len(runs) > j.flow.Runs {
			var list []string
			for _, r := range runs {
				list = append(list, fmt.Sprintf("%d to %d", r[0], r[1]))
			}
			j.fail("%s misses messages %s of lane %d, want at most %d runs of them", seat, strings.Join(list, ", "), lane, j.flow.Runs)
		}
	}
}
