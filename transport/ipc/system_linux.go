package ipc

const (
	abstractNames = true

	// modeFromSocket: bind gives the file the mode of the socket's own inode
	// (less the umask), so that fchmod before it leaves no window at all.
	modeFromSocket = true

	// probes: one refusal proves a socket dead, a full backlog is EAGAIN.
	probes = 1
)
