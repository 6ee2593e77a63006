package main

import (
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// What is told to systemd.
const (
	notifyReady    = daemon.SdNotifyReady
	notifyStopping = daemon.SdNotifyStopping
	notifyWatchdog = daemon.SdNotifyWatchdog
)

// notifyReloading needs the time: systemd compares it with that of the READY that
// follows.
func notifyReloading() string {
	return daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec()
}

// notify tells systemd, if it started us and wants to know.
func (s *service) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn("systemd was not told", "state", state, "err", err)
	}
}

// watchdog ticks twice in the time that systemd gives us, if it does.
type watchdog struct {
	C      <-chan time.Time // nil: never
	ticker *time.Ticker
}

func newWatchdog(log *slog.Logger) *watchdog {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("systemd's watchdog is off", "err", err)
		return &watchdog{}
	}
	if interval <= 0 {
		return &watchdog{}
	}
	t := time.NewTicker(max(interval/2, time.Millisecond))
	return &watchdog{t.C, t}
}

func (w *watchdog) stop() {
	if w.ticker != nil {
		w.ticker.Stop()
	}
}
