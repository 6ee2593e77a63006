package main

// tools are the perf tools: each a role of a pair, or a pair, started by hand.
func tools() []*tool {
	return []*tool{localThr(), remoteThr(), localLat(), remoteLat(), inprocThr(), inprocLat(), proxyThr()}
}
