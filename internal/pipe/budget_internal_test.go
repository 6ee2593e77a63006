package pipe

import "testing"

// TestBudgetListsOnce: a producer that looks again and again is listed once.
func TestBudgetListsOnce(t *testing.T) {
	b := &budget{limit: 1}
	b.used.Store(10)
	q := newQueue(10, 0, false)
	q.charge(b)
	for range 100 {
		if q.slot() != nil {
			t.Fatal("a slot though the budget is used up")
		}
	}
	if len(b.list) != 1 {
		t.Errorf("listed %d times, want once", len(b.list))
	}
	b.free(10)
	if len(b.list) != 0 || q.listed || q.slot() == nil {
		t.Errorf("after the budget is free: %d listed, %v", len(b.list), q.listed)
	}
}
