package tcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/ringwire/ringwire/transport"
)

var (
	errNoIPv6    = errors.New("IPv6 is excluded by option NoIPv6")
	errNoAddress = errors.New("interface has no usable address")
)

// checkFamily refuses an IPv6 address under NoIPv6, and a zone that names no
// interface: package net would silently drop that zone.
func checkFamily(ip netip.Addr, options *transport.Options) error {
	if !ip.Is6() {
		return nil
	}
	if options.NoIPv6 {
		return fmt.Errorf("address %s: %w", ip, errNoIPv6)
	}
	zone := ip.Zone()
	if zone == "" {
		return nil
	}
	_, err := net.InterfaceByName(zone)
	if index, notNumber := strconv.Atoi(zone); notNumber == nil {
		_, err = net.InterfaceByIndex(index)
	}
	if err != nil {
		return fmt.Errorf("zone %q: %w", zone, err)
	}
	return nil
}

// bindAddr turns a place into what net.Listen understands. Networks tcp4 and
// tcp6 stop package net from listening on both families for one address.
func bindAddr(ctx context.Context, where *place, options *transport.Options) (network, address string, err error) {
	port := strconv.Itoa(int(where.port))
	ip := where.ip
	switch {
	case where.host == "" && options.NoIPv6:
		return "tcp4", net.JoinHostPort("0.0.0.0", port), nil
	case where.host == "":
		return "tcp", net.JoinHostPort("", port), nil
	case where.named():
		if ip, err = resolveBind(ctx, where.host, options); err != nil {
			return "", "", err
		}
	}
	if err := checkFamily(ip, options); err != nil {
		return "", "", err
	}
	network = "tcp6"
	if ip.Is4() {
		network = "tcp4"
	} else if ip.IsUnspecified() {
		network = "tcp"
	}
	return network, net.JoinHostPort(ip.String(), port), nil
}

// resolveBind finds the one address that a name on a bind stands for.
func resolveBind(ctx context.Context, name string, options *transport.Options) (netip.Addr, error) {
	if iface, err := net.InterfaceByName(name); err == nil {
		return interfaceAddr(iface, true, !options.NoIPv6)
	}
	resolver := options.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	network := "ip"
	if options.NoIPv6 {
		network = "ip4"
	}
	found, err := resolver.LookupNetIP(ctx, network, name)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%q is no interface and does not resolve: %w", name, err)
	}
	var first netip.Addr
	for _, ip := range found {
		ip = ip.Unmap()
		if ip.Is4() {
			return ip, nil
		}
		if !first.IsValid() {
			first = ip
		}
	}
	return first, nil // LookupNetIP never returns an empty list without an error
}

// sourceAddr is the local address of a dial. There is no DNS for it.
func sourceAddr(parsed target, options *transport.Options) (*net.TCPAddr, error) {
	from := parsed.source
	local := &net.TCPAddr{Port: int(from.port)}
	ip := from.ip
	if from.named() {
		iface, err := net.InterfaceByName(from.host)
		if err != nil {
			return nil, fmt.Errorf("source %q: %w", from.host, err)
		}
		want4 := !parsed.ip.Is6()
		want6 := !options.NoIPv6 && !parsed.ip.Is4()
		if ip, err = interfaceAddr(iface, want4, want6); err != nil {
			return nil, fmt.Errorf("source: %w", err)
		}
	}
	if err := checkFamily(ip, options); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if ip.IsValid() {
		local.IP, local.Zone = ip.AsSlice(), ip.Zone()
	}
	return local, nil
}

// interfaceAddr is the first address of an interface in the families wanted:
// IPv4, then global IPv6, then link-local IPv6 with the interface as its zone.
func interfaceAddr(iface *net.Interface, want4, want6 bool) (netip.Addr, error) {
	addrs, err := iface.Addrs()
	if err != nil {
		return netip.Addr{}, fmt.Errorf("interface %q: %w", iface.Name, err)
	}
	var global, local netip.Addr
	for _, addr := range addrs {
		prefix, ok := addr.(*net.IPNet)
		if !ok {
			continue
		}
		ip, _ := netip.AddrFromSlice(prefix.IP)
		ip = ip.Unmap()
		switch {
		case ip.Is4() && want4:
			return ip, nil
		case !ip.Is6() || !want6:
		case ip.IsLinkLocalUnicast() && !local.IsValid():
			local = ip.WithZone(iface.Name)
		case !ip.IsLinkLocalUnicast() && !global.IsValid():
			global = ip
		}
	}
	if global.IsValid() {
		return global, nil
	}
	if local.IsValid() {
		return local, nil
	}
	return netip.Addr{}, fmt.Errorf("%w: %q", errNoAddress, iface.Name)
}
