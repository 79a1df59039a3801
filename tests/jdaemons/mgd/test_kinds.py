"""What a word may look like, and which form of it is kept."""

from __future__ import annotations

import pytest

from jdaemons.mgd.kinds import KINDS
from jdaemons.mgd.schema import SCHEMA, Block, Keyed, Leaf


@pytest.mark.parametrize(
    ("kind", "word", "kept"),
    [
        ("text", "anything; at {all}", "anything; at {all}"),
        ("host-name", "r1.lab_2-x", "r1.lab_2-x"),
        ("interface", "ge-0/0/0", "ge-0/0/0"),
        ("interface", "xe-31/3/127", "xe-31/3/127"),
        ("interface", "lo0", "lo0"),
        ("unit", "007", "7"),
        ("unit", "16385", "16385"),
        ("mtu", "256", "256"),
        ("mtu", "9192", "9192"),
        ("preference", "4294967295", "4294967295"),
        ("inet-address", "192.0.2.1/24", "192.0.2.1/24"),
        ("inet-address", "192.0.2.0/31", "192.0.2.0/31"),
        ("inet-address", "192.0.2.0/32", "192.0.2.0/32"),
        ("inet6-address", "2001:DB8:0::1/64", "2001:db8::1/64"),
        ("inet6-address", "fe80::1/64", "fe80::1/64"),
        ("inet-prefix", "0.0.0.0/0", "0.0.0.0/0"),
        ("inet-prefix", "192.0.2.7", "192.0.2.7/32"),
        ("inet6-prefix", "2001:DB8::/32", "2001:db8::/32"),
        ("gateway", "192.0.2.1", "192.0.2.1"),
        ("gateway", "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_a_good_word_is_kept_in_its_canonical_form(kind: str, word: str, kept: str) -> None:
    assert kept == KINDS[kind](word)


@pytest.mark.parametrize(
    ("kind", "word", "why"),
    [
        ("text", "a\nb", "control character"),
        ("host-name", "-r1", "not a host name"),
        ("host-name", "r 1", "not a host name"),
        ("interface", "ge-0/0", "not an interface name"),
        ("interface", "ge-00/0/0", "not an interface name"),
        ("interface", "zz-0/0/0", "not an interface name"),
        ("interface", "ge-32/0/0", "no slot is above 31"),
        ("interface", "ge-0/4/0", "no PIC is above 3"),
        ("interface", "ge-0/0/128", "no port is above 127"),
        ("interface", "lo1", "not an interface name"),
        ("unit", "16386", "not a number from 0 to 16385"),
        ("unit", "-1", "not a number"),
        ("unit", "\u0661", "not a number"),
        ("mtu", "255", "from 256 to 9192"),
        ("mtu", "9193", "from 256 to 9192"),
        ("preference", "4294967296", "not a number"),
        ("inet-address", "192.0.2.1", "with a prefix length"),
        ("inet-address", "192.0.2.1/33", "with a prefix length"),
        ("inet-address", "192.0.2.1/255.255.255.0", "with a prefix length"),
        ("inet-address", "192.0.2.300/24", "with a prefix length"),
        ("inet-address", "2001:db8::1/64", "not an IPv4 address"),
        ("inet-address", "192.0.2.0/24", "network's own"),
        ("inet-address", "192.0.2.255/24", "broadcast"),
        ("inet-address", "224.0.0.1/24", "cannot be an interface's address"),
        ("inet-address", "0.0.0.0/32", "cannot be an interface's address"),
        ("inet6-address", "fe80::1%eth0/64", "not an IPv6 address"),
        ("inet6-address", "::/128", "cannot be an interface's address"),
        ("inet-prefix", "192.0.2.1/24", "host bits are set"),
        ("inet-prefix", "192.0.2.0/255.255.255.0", "not an IPv4 prefix"),
        ("inet-prefix", "2001:db8::/32", "not an IPv4 prefix"),
        ("inet-prefix", "224.0.0.0/4", "multicast"),
        ("inet6-prefix", "192.0.2.0/24", "not an IPv6 prefix"),
        ("inet6-prefix", "nonsense", "not a prefix"),
        ("gateway", "gw", "not an address"),
        ("gateway", "fe80::1%ge-0/0/0", "not an address"),
        ("gateway", "0.0.0.0", "cannot be a next hop"),
        ("gateway", "ff02::1", "cannot be a next hop"),
    ],
)
def test_a_bad_word_is_refused_with_the_reason(kind: str, word: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        KINDS[kind](word)


def kinds_of(block: Block) -> set[str]:
    found: set[str] = set()
    for member in block.members.values():
        if isinstance(member, Leaf) and member.kind:
            found.add(member.kind)
        if isinstance(member, Keyed):
            found |= {member.kind} if member.kind else set()
            for inner in (member.block, *(member.words or {}).values()):
                found |= kinds_of(inner)
        if isinstance(member, Block):
            found |= kinds_of(member)
    return found


def test_there_is_a_checker_for_every_kind_of_the_schema_and_no_other() -> None:
    assert set(KINDS) == kinds_of(SCHEMA) | {"text"}
