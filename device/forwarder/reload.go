package main

import (
	"fmt"
	"slices"
	"strings"
)

// reload reads the configuration again and does what can be done without losing a
// peer that stays. If anything about it is wrong, everything stays as it was.
func (s *service) reload() {
	s.notify(notifyReloading())
	defer s.notify(notifyReady)
	next, err := s.source.load()
	if err != nil {
		s.log.Error("reload failed, the configuration stays as it was", "err", err)
		return
	}
	later := s.config.keep(next)
	changed := s.config.differences(next)
	rekeyed, err := s.reloadKeys()
	if err == nil {
		err = s.apply(next)
	}
	if err != nil {
		s.log.Error("reload failed, the configuration stays as it was", "err", err)
		return
	}
	s.config = next
	s.level.Set(levels[next.LogLevel.value])
	s.watcher.place(s.sides)
	s.log.Info("reloaded", "changed", strings.Join(changed, ", "))
	for _, name := range rekeyed {
		if !slices.Contains(later, name) {
			later = append(later, name)
		}
	}
	if len(later) > 0 {
		s.log.Warn("these settings need a restart and stay as they were", "settings", strings.Join(later, ", "))
	}
}

// reloadKeys looks at the directories of clients, and returns the settings whose
// files have other keys than the sockets.
func (s *service) reloadKeys() (changed []string, err error) {
	now, err := s.config.readKeys(nil)
	if err != nil {
		return nil, err
	}
	for i, k := range s.keys {
		if err := k.reload(); err != nil {
			return nil, err
		}
		_, names := s.config.curve(i)
		changed = append(changed, k.changed(now[i], names)...)
	}
	return changed, nil
}

// differences are the settings in which c and next differ.
func (c *config) differences(next *config) (names []string) {
	theirs := next.settings()
	for i, s := range c.settings() {
		if s.value.String() != theirs[i].value.String() {
			names = append(names, s.name)
		}
	}
	return names
}

// keep copies to next what cannot change while the program runs, and returns the
// settings that would have.
func (c *config) keep(next *config) (names []string) {
	theirs := next.settings()
	changed := c.differences(next)
	for i, s := range c.settings() {
		if s.when == live || !slices.Contains(changed, s.name) {
			continue
		}
		names = append(names, s.name)
		switch v := theirs[i].value.(type) {
		case *choice:
			*v = *s.value.(*choice)
		case *text:
			*v = *s.value.(*text)
		case *texts:
			*v = *s.value.(*texts)
		case *truth:
			*v = *s.value.(*truth)
		case *count:
			*v = *s.value.(*count)
		case *size:
			*v = *s.value.(*size)
		case *span:
			*v = *s.value.(*span)
		}
	}
	return names
}

// apply opens what is new, then closes what is no longer wanted. When something
// cannot be opened, what was is closed again.
func (s *service) apply(next *config) (err error) {
	var undo []func() error
	defer func() {
		if err == nil {
			return
		}
		for _, u := range slices.Backward(undo) {
			if undoErr := u(); undoErr != nil {
				s.log.Error("reload: something new stays open", "err", undoErr)
			}
		}
	}()
	var removed [2][]endpoint
	for i, pair := range [2][2]*endpoints{{&s.config.Frontend, &next.Frontend}, {&s.config.Backend, &next.Backend}} {
		var added []endpoint
		added, removed[i] = pair[0].changes(pair[1])
		for _, e := range added {
			if err := s.sides[i].add(e, next.Insecure.value); err != nil {
				return err
			}
			undo = append(undo, func() error { return s.sides[i].remove(e) })
		}
	}
	if err := s.changeAdmin(next); err != nil {
		return err
	}
	for i, list := range removed {
		for _, e := range list {
			if err := s.sides[i].remove(e); err != nil {
				s.log.Error("reload: an endpoint stays open", "err", err)
			}
		}
	}
	return nil
}

// changeAdmin starts another admin if its settings changed, and ends the old one.
func (s *service) changeAdmin(next *config) error {
	old := s.config
	same := old.AdminHosts.String() == next.AdminHosts.String() && old.MetricPeers.value == next.MetricPeers.value
	if same && old.Admin.value == next.Admin.value {
		return nil
	}
	if s.admin != nil && old.Admin.value == next.Admin.value {
		s.admin.configure(next)
		return nil
	}
	a, err := s.startAdmin(next)
	if err != nil {
		return fmt.Errorf("the other admin: %w", err)
	}
	if s.admin != nil {
		s.admin.close()
	}
	s.admin = a
	if a != nil {
		s.log.Info("admin", "url", a.url())
	}
	return nil
}
