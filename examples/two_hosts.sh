#!/usr/bin/env bash
# Two hosts in network namespaces, joined only through the router's veth ports; dcd is killed while they
# ping each other. Needs root, iproute2 and ping.
set -euo pipefail
if [ "$(id -u)" != 0 ]; then
    echo "skipped: network namespaces need root"
    exit 0
fi
name=two-hosts-$$
folder=$(mktemp -d /tmp/jsup-XXXXXX)
export JSUPERVISOR_HOME=$folder
left=jl$$ right=jr$$

clean_up() {
    jsupervisor stop --name "$name" 2>/dev/null || true
    ip netns delete "$left" 2>/dev/null || true
    ip netns delete "$right" 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT

cat > "$folder/router.conf" <<'CONF'
interfaces {
    ge-0/0/0 { unit 0 { family inet { address 192.0.2.1/24; } family inet6 { address 2001:db8:1::1/64; } } }
    ge-0/0/1 { unit 0 { family inet { address 198.51.100.1/24; } family inet6 { address 2001:db8:2::1/64; } } }
}
CONF
jsupervisor start --name "$name" --detach --config "$folder/router.conf" \
    --port "ge-0/0/0=veth:$left" --port "ge-0/0/1=veth:$right"

host() { # namespace and interface, IPv4 address and gateway, IPv6 address and gateway
    ip netns add "$1"
    ip link set "$1" netns "$1"
    ip -n "$1" link set lo up
    ip -n "$1" link set "$1" up
    ip -n "$1" address add "$2/24" dev "$1"
    ip -n "$1" route add default via "$3"
    ip -n "$1" address add "$4/64" dev "$1" nodad
    ip -n "$1" -6 route add default via "$5"
}
host "$left" 192.0.2.2 192.0.2.1 2001:db8:1::2 2001:db8:1::1
host "$right" 198.51.100.2 198.51.100.1 2001:db8:2::2 2001:db8:2::1

ip netns exec "$left" ping -c 1 -W 5 198.51.100.2 >/dev/null
ip netns exec "$left" ping -c 1 -W 5 2001:db8:2::2 >/dev/null
ip netns exec "$left" ping -q -i 0.01 -c 200 198.51.100.2 &
pings=$!
jsupervisor fault inject --name "$name" kill dcd
wait "$pings"
jsupervisor show interfaces terse --name "$name" | grep ge-0/0/[01]
