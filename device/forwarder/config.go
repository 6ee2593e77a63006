package main

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/ringwire/ringwire/socket"
)

// config is everything that can be set. One name per setting: the flag
// --drain-timeout is the environment variable RINGWIRE_DRAIN_TIMEOUT and the key
// drain-timeout of the file.
type config struct {
	Kind     choice    `yaml:"kind"`
	Frontend endpoints `yaml:"frontend"`
	Backend  endpoints `yaml:"backend"`
	Insecure truth     `yaml:"insecure"`
	Name     text      `yaml:"name"`

	CurveKey               texts `yaml:"curve-key"`
	FrontendCurveAllow     text  `yaml:"frontend-curve-allow"`
	FrontendCurveServerKey text  `yaml:"frontend-curve-server-key"`
	BackendCurveAllow      text  `yaml:"backend-curve-allow"`
	BackendCurveServerKey  text  `yaml:"backend-curve-server-key"`
	RequireSecure          truth `yaml:"require-secure"`

	SendHWM           count  `yaml:"send-hwm"`
	RecvHWM           count  `yaml:"recv-hwm"`
	SendHWMBytes      size   `yaml:"send-hwm-bytes"`
	RecvHWMBytes      size   `yaml:"recv-hwm-bytes"`
	OnFull            choice `yaml:"on-full"`
	MaxMessageSize    size   `yaml:"max-message-size"`
	MaxConnections    count  `yaml:"max-connections"`
	MaxPerAddress     count  `yaml:"max-connections-per-address"`
	MaxAcceptRate     count  `yaml:"max-accept-rate"`
	MaxHandshakes     count  `yaml:"max-handshakes"`
	MaxSubscriptions  count  `yaml:"max-subscriptions"`
	SendBuffer        size   `yaml:"send-buffer"`
	HeartbeatInterval span   `yaml:"heartbeat-interval"`
	HeartbeatTimeout  span   `yaml:"heartbeat-timeout"`
	ReconnectMax      span   `yaml:"reconnect-max"`
	Linger            span   `yaml:"linger"`

	Admin       text  `yaml:"admin"`
	AdminHosts  texts `yaml:"admin-host"`
	MetricPeers truth `yaml:"metrics-peers"`

	DrainTimeout span   `yaml:"drain-timeout"`
	LogLevel     choice `yaml:"log-level"`
	LogFormat    choice `yaml:"log-format"`
}

// Where a forwarder listens when nothing else is said.
const (
	defaultFrontend = "tcp://127.0.0.1:5559"
	defaultBackend  = "tcp://127.0.0.1:5560"
	defaultAdmin    = "127.0.0.1:5561"
)

// newConfig has the defaults.
func newConfig() *config {
	return &config{
		Kind:              choice{value: "forwarder", among: []string{"forwarder", "queue", "streamer"}},
		Frontend:          endpoints{list: []endpoint{{address: defaultFrontend}}},
		Backend:           endpoints{list: []endpoint{{address: defaultBackend}}},
		SendHWM:           count{value: socket.DefaultHWM, least: 1, unlimited: true},
		RecvHWM:           count{value: socket.DefaultHWM, least: 1, unlimited: true},
		SendHWMBytes:      size{value: socket.DefaultHWMBytes, least: 1, unlimited: true},
		RecvHWMBytes:      size{value: socket.DefaultHWMBytes, least: 1, unlimited: true},
		OnFull:            choice{value: "default", among: []string{"default", "block", "drop-newest", "drop-oldest", "disconnect"}},
		MaxMessageSize:    size{value: socket.DefaultMaxMessageSize, least: 1, unlimited: true},
		MaxConnections:    count{value: -1, least: 1, unlimited: true},
		MaxPerAddress:     count{least: 0, unlimited: true},
		MaxAcceptRate:     count{least: 0, unlimited: true},
		MaxHandshakes:     count{value: socket.DefaultMaxHandshakes, least: 1, unlimited: true},
		MaxSubscriptions:  count{value: socket.DefaultMaxSubscriptions, least: 1, unlimited: true},
		SendBuffer:        size{least: 0},
		HeartbeatInterval: span{least: 0},
		HeartbeatTimeout:  span{least: 0},
		ReconnectMax:      span{value: socket.DefaultReconnectMax, least: time.Millisecond},
		Linger:            span{value: socket.DefaultLinger, least: 0, unlimited: true},
		Admin:             text{defaultAdmin},
		DrainTimeout:      span{value: 10 * time.Second, least: 0},
		LogLevel:          choice{value: "info", among: []string{"debug", "info", "warn", "error"}},
		LogFormat:         choice{value: "text", among: []string{"text", "json"}},
	}
}

// settings are the fields of c by name, in the order in which they are told.
func (c *config) settings() []setting {
	const unlimited = "; -1 is no limit"
	return []setting{
		{"kind", "what to be: forwarder (XSUB/XPUB), queue (ROUTER/DEALER) or streamer (PULL/PUSH)", restart, &c.Kind},
		{"frontend", "`endpoint` for publishers, clients or producers; repeatable; bound, or connected with connect: in front", live, &c.Frontend},
		{"backend", "`endpoint` for subscribers, workers or consumers, likewise", live, &c.Backend},
		{"insecure", "allow to bind tcp addresses that others can reach, without encryption", live, &c.Insecure},
		{"name", "`name` to announce to peers, who see it as X-Name", restart, &c.Name},
		{"curve-key", "`file` with the secret key of the forwarder, which keygen makes; repeatable, while a server's key is being changed", restart, &c.CurveKey},
		{"frontend-curve-allow", "make the frontend a CURVE server for the clients whose certificates are in a `directory`, or for any", restart, &c.FrontendCurveAllow},
		{"frontend-curve-server-key", "make the frontend a CURVE client of the server whose certificate is this `file`", restart, &c.FrontendCurveServerKey},
		{"backend-curve-allow", "the same of the backend, `directory` or any", restart, &c.BackendCurveAllow},
		{"backend-curve-server-key", "the same of the backend, a `file`", restart, &c.BackendCurveServerKey},
		{"require-secure", "do not connect to other machines without encryption, either", restart, &c.RequireSecure},
		{"send-hwm", "`messages` queued towards one peer before it counts as full" + unlimited, restart, &c.SendHWM},
		{"recv-hwm", "`messages` queued from one peer before no more is read from it" + unlimited, restart, &c.RecvHWM},
		{"send-hwm-bytes", "`size` of what send-hwm counts" + unlimited, restart, &c.SendHWMBytes},
		{"recv-hwm-bytes", "`size` of what recv-hwm counts" + unlimited, restart, &c.RecvHWMBytes},
		{"on-full", "what becomes of a message for a full subscriber: `policy` default (drop-newest), block, drop-newest, drop-oldest or disconnect; only of a forwarder", restart, &c.OnFull},
		{"max-message-size", "`size` of the largest message that a peer may send" + unlimited, restart, &c.MaxMessageSize},
		{"max-connections", "`number` of peers accepted on each side" + unlimited, restart, &c.MaxConnections},
		{"max-connections-per-address", "`number` of those from one address; 0 is " + strconv.Itoa(socket.DefaultMaxConnectionsPerAddress) + ", and no limit for this machine itself" + unlimited, restart, &c.MaxPerAddress},
		{"max-accept-rate", "`number` of connections that one address makes in a second; 0 is " + strconv.Itoa(socket.DefaultMaxAcceptRate) + ", and no limit for this machine itself" + unlimited, restart, &c.MaxAcceptRate},
		{"max-handshakes", "`number` of accepted connections that are in the handshake at once" + unlimited, restart, &c.MaxHandshakes},
		{"max-subscriptions", "`number` of topics of one subscriber" + unlimited, restart, &c.MaxSubscriptions},
		{"send-buffer", "`size` of the kernel's send buffer of a connection; 0 is the system's", restart, &c.SendBuffer},
		{"heartbeat-interval", "`time` between the questions whether a peer is alive, which also measure the round trip; 0 is never", restart, &c.HeartbeatInterval},
		{"heartbeat-timeout", "`time` of silence after such a question that ends a connection; 0 is the interval", restart, &c.HeartbeatTimeout},
		{"reconnect-max", "`time` that attempts to connect are apart at most", restart, &c.ReconnectMax},
		{"linger", "`time` for what is queued for an endpoint when that is removed; -1 is for ever", restart, &c.Linger},
		{"admin", "`host:port` of the live page, the metrics and the controls; empty is off", live, &c.Admin},
		{"admin-host", "`name` that the admin may be asked for by, besides IP addresses and localhost; repeatable", live, &c.AdminHosts},
		{"metrics-peers", "also have metrics of each peer: as many series as there are peers", live, &c.MetricPeers},
		{"drain-timeout", "`time` for what is queued when the program is told to end", live, &c.DrainTimeout},
		{"log-level", "`level` of what is logged: debug, info, warn or error", live, &c.LogLevel},
		{"log-format", "`format` of the log: text or json", restart, &c.LogFormat},
	}
}

// setting is one of the things that can be set.
type setting struct {
	name  string
	usage string
	when  moment
	value value
}

// moment says when a change of a setting in the file takes effect.
type moment bool

const (
	restart moment = false // when the program is started again
	live    moment = true  // on SIGHUP
)

// options are those of the device's sockets.
func (c *config) options() *socket.Options {
	o := &socket.Options{
		SendHWM: int(c.SendHWM.value), RecvHWM: int(c.RecvHWM.value),
		SendHWMBytes: c.SendHWMBytes.value, RecvHWMBytes: c.RecvHWMBytes.value,
		MaxMessageSize: c.MaxMessageSize.value, MaxConnections: int(c.MaxConnections.value),
		MaxConnectionsPerAddress: int(c.MaxPerAddress.value), MaxAcceptRate: int(c.MaxAcceptRate.value),
		MaxHandshakes: int(c.MaxHandshakes.value), MaxSubscriptions: int(c.MaxSubscriptions.value), RequireSecure: c.RequireSecure.value,
		SendBuffer:        int(c.SendBuffer.value),
		HeartbeatInterval: c.HeartbeatInterval.value, HeartbeatTimeout: c.HeartbeatTimeout.value,
		ReconnectMin: min(socket.DefaultReconnectMin, c.ReconnectMax.value), ReconnectMax: c.ReconnectMax.value,
		Linger: c.Linger.value, NoLinger: c.Linger.value == 0,
	}
	if c.Name.value != "" {
		o.Metadata = map[string]string{"X-Name": c.Name.value}
	}
	return o
}

var policies = map[string]socket.FullPolicy{
	"default": socket.FullDefault, "block": socket.FullBlock, "drop-newest": socket.FullDropNewest,
	"drop-oldest": socket.FullDropOldest, "disconnect": socket.FullDisconnect,
}

var levels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}
