package chaos

// Fault is something that goes wrong, by its number in the list of faults.
type Fault string

// The faults.
const (
	F01 Fault = "F01" // receiver killed, and started again
	F02 Fault = "F02" // receiver frozen
	F03 Fault = "F03" // link down for less than the heartbeat timeout
	F04 Fault = "F04" // link down for longer
	F05 Fault = "F05" // reset
	F06 Fault = "F06" // reset inside a message
	F07 Fault = "F07" // nothing comes through in one direction
	F08 Fault = "F08" // receiver reads nothing
	F09 Fault = "F09" // receiver closes in order, and is started again
	F10 Fault = "F10" // the name of the bound side moves to another address
	F11 Fault = "F11" // connected long before it is bound
	F12 Fault = "F12" // a peer sends what is no frame
	F13 Fault = "F13" // a message over the receiver's limit
	F14 Fault = "F14" // the listener is out of descriptors
	F15 Fault = "F15" // many connections without a handshake
	F16 Fault = "F16" // the sender closes while it sends, and is started again
	F17 Fault = "F17" // two peers with one identity
	F18 Fault = "F18" // refused by the authenticator
	F19 Fault = "F19" // all peers lose their connections at once
	F20 Fault = "F20" // the budget of memory is used up
	F21 Fault = "F21" // the file of an ipc endpoint is stale
	F22 Fault = "F22" // everything stands still for a while: suspend
	F23 Fault = "F23" // hardly any processor time
	F24 Fault = "F24" // forwarder killed
	F25 Fault = "F25" // bytes changed on their way
)

// Calm is a run without a fault.
const Calm Fault = "none"

// FaultNames says what each fault is, in the order of the list.
var FaultNames = []struct {
	Fault Fault
	Name  string
}{
	{Calm, "no fault"},
	{F01, "receiver killed, restarted"}, {F02, "receiver frozen"}, {F03, "link down, short"}, {F04, "link down, long"},
	{F05, "reset"}, {F06, "reset inside a message"}, {F07, "one-way blackhole"}, {F08, "receiver reads nothing"},
	{F09, "receiver closes in order"}, {F10, "name moves"}, {F11, "connect before bind"}, {F12, "invalid frames"},
	{F13, "oversize message"}, {F14, "listener out of descriptors"}, {F15, "silent handshakes"}, {F16, "sender closes under load"},
	{F17, "identity collision"}, {F18, "refused by authenticator"}, {F19, "all peers reconnect"}, {F20, "budget used up"},
	{F21, "stale ipc file"}, {F22, "suspend"}, {F23, "starved of processor"}, {F24, "forwarder killed"}, {F25, "corrupt bytes"},
}

// NotInMemory says why a fault has no run in memory.
var NotInMemory = map[Fault]string{
	F21: "memory has no files; --real has it",
	F24: "memory has no processes; --real has it",
}
