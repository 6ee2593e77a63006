package chaos

import (
	"context"
	"sync"
)

// RunSeeds plays seeds from first on, some at once, and tells done of each as it
// ends. It begins no more when ctx is done.
func RunSeeds(ctx context.Context, first uint64, count, atOnce int, done func(*Outcome)) {
	seeds := make(chan uint64)
	var workers sync.WaitGroup
	var mu sync.Mutex
	for range min(atOnce, count) {
		workers.Go(func() {
			for seed := range seeds {
				o := RunSeed(ctx, seed)
				if ctx.Err() != nil {
					continue // it was cut short
				}
				mu.Lock()
				done(o)
				mu.Unlock()
			}
		})
	}
	for i := range count {
		select {
		case seeds <- first + uint64(i):
			continue
		case <-ctx.Done():
		}
		break
	}
	close(seeds)
	workers.Wait()
}
