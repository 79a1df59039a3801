#!/usr/bin/env bash
# Two hosts of the kernel, joined only through a router whose every control module is killed. Needs root.
#
#     left (192.0.2.2) ── ge-0/0/0 ┌────────┐ ge-0/0/1 ── right (198.51.100.2)
#     2001:db8:1::2                │ router │             2001:db8:2::2
#                                  └────────┘
#
# Each host is a network namespace. A port `veth:NAME` makes a pair of interfaces and leaves the end called
# NAME to us. Everything is undone at the end, however it ends.
#
#     sudo PATH="$PATH" examples/two_hosts.sh
set -euo pipefail

if [ "$(id -u)" != 0 ]; then
    echo "two_hosts.sh: cannot make network namespaces: run it as root" >&2
    exit 1
fi
name=two-hosts-$$
work=$(mktemp -d /tmp/two-hosts-XXXXXX)
export JSUPERVISOR_HOME=$work/home
left=jl$$ right=jr$$

undo() {
    jsupervisor stop --name "$name" >/dev/null 2>&1 || true
    ip netns delete "$left" 2>/dev/null || true
    ip netns delete "$right" 2>/dev/null || true
    rm -rf "$work"
}
trap undo EXIT

# host NAMESPACE ADDRESS ADDRESS6 GATEWAY GATEWAY6: moves the interface NAMESPACE into the namespace NAMESPACE
host() {
    ip netns add "$1"
    ip link set "$1" netns "$1"
    ip -n "$1" address add "$2" dev "$1"
    ip -n "$1" address add "$3" dev "$1" nodad
    ip -n "$1" link set "$1" up
    ip -n "$1" route add default via "$4"
    ip -n "$1" route add default via "$5"
}

cat >"$work/router.conf" <<'CONF'
system host-name two-hosts;
interfaces {
    ge-0/0/0 unit 0 {
        family inet address 192.0.2.1/24;
        family inet6 address 2001:db8:1::1/64;
    }
    ge-0/0/1 unit 0 {
        family inet address 198.51.100.1/24;
        family inet6 address 2001:db8:2::1/64;
    }
}
CONF

jsupervisor start --name "$name" --profile vmx --config "$work/router.conf" --detach \
    --port "ge-0/0/0=veth:$left" --port "ge-0/0/1=veth:$right" >/dev/null
host "$left" 192.0.2.2/24 2001:db8:1::2/64 192.0.2.1 2001:db8:1::1
host "$right" 198.51.100.2/24 2001:db8:2::2/64 198.51.100.1 2001:db8:2::1

# The first echo waits for the neighbours to be found out; then a hundred a second, while modules die.
for target in 198.51.100.2 2001:db8:2::2; do
    ip netns exec "$left" ping -q -c 1 -w 10 "$target" >/dev/null
done
ip netns exec "$left" ping -q -i 0.01 -c 300 198.51.100.2 >"$work/ping4" &
ip netns exec "$left" ping -q -i 0.01 -c 300 2001:db8:2::2 >"$work/ping6" &
for module in chassisd alarmd eventd mgd dcd rpd pfectl0 jlaunchd launcher; do
    jsupervisor fault inject kill "$module" --name "$name" | tail -n 1 | sed "s/^/$module: /"
done
wait

grep -h transmitted "$work/ping4" "$work/ping6"
if grep -h transmitted "$work/ping4" "$work/ping6" | grep -qv ' 0% packet loss'; then
    echo "two_hosts.sh: cannot call this isolated: pings were lost" >&2
    exit 1
fi
