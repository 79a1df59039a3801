"""The table of who may do what."""

from __future__ import annotations

from itertools import combinations

import pytest

from jsupervisor.containment.roles import (
    AF_INET,
    AF_NETLINK,
    AF_PACKET,
    AF_UNIX,
    CAPABILITIES,
    FAMILIES,
    FOREIGN,
    NONE,
    ROLES,
    Rights,
    Role,
    role_of,
    union,
)
from jsupervisor.runtime.names import NAMES

CONFINED = [role for role in ROLES.values() if role.confined]


def test_every_executable_that_runs_as_a_module_has_a_role() -> None:
    outside = {"jlaunchd", "init", "launcher"}

    assert set() == set(NAMES) - outside - set(ROLES)


@pytest.mark.parametrize("role", CONFINED, ids=lambda role: role.name)
def test_a_confined_role_has_local_sockets_and_limits(role: Role) -> None:
    assert AF_UNIX in role.rights.families
    assert None not in (role.memory_mb, role.files, role.processes)
    assert "{own}" in role.rights.writes


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_capabilities_and_families_are_known_ones(role: Role) -> None:
    rights = role.rights_for(role.ports)

    assert set() == set(rights.capabilities) - set(CAPABILITIES)
    assert set() == set(rights.families) - set(FAMILIES)


def test_no_folder_is_written_by_two_roles() -> None:
    for one, other in combinations(CONFINED, 2):
        shared = set(one.rights.writes) & set(other.rights.writes)

        assert set() == shared - {"{own}"}


def test_only_the_packet_engine_keeps_a_capability() -> None:
    assert {"pfe"} == {role.name for role in CONFINED if role.rights_for(role.ports).capabilities}


def test_the_engines_rights_follow_from_its_ports() -> None:
    engine = ROLES["pfe"]

    assert ((AF_UNIX,), ()) == (
        engine.rights_for([]).families,
        engine.rights_for([]).capabilities,
    )
    veth = engine.rights_for(["veth", "veth"])
    assert (AF_UNIX, AF_INET, AF_NETLINK, AF_PACKET) == veth.families
    assert ("CAP_NET_ADMIN", "CAP_NET_RAW") == veth.capabilities
    assert "CAP_DAC_OVERRIDE" not in engine.rights_for(["udp", "tap"]).capabilities


def test_a_role_is_named_by_the_plan_or_is_the_executables() -> None:
    assert ROLES["rpd"] == role_of("", "rpd")
    assert ROLES[NONE] == role_of("none", "rpd")
    with pytest.raises(LookupError, match="cannot confine as 'nobody': there are eventd, "):
        role_of("nobody", "rpd")


def test_an_executable_without_a_role_has_the_least() -> None:
    least = role_of("", "mine")

    assert (True, False, ("{own}",)) == (least.confined, least.executes, least.rights.writes)
    assert ((AF_UNIX,), ()) == (least.rights.families, least.rights.capabilities)


def test_a_process_with_several_modules_may_do_what_each_may() -> None:
    both = role_of("", "router", ["eventd", "mgd", "pfe"])

    assert both.confined and not both.executes
    assert ("{own}", "{home}/log", "{home}/config") == both.rights.writes
    assert (("{home}/config",), ("{home}/log",)) == (both.owns, both.keeps_files_in)
    assert ROLES["pfe"].ports == both.ports
    assert 4096 + 4096 + 16384 == both.memory_mb


def test_one_member_without_limits_leaves_all_without() -> None:
    loose = Role(name="loose", confined=False, executes=True, memory_mb=None)
    both = union("both", [ROLES["rpd"], loose])

    assert (False, True, None) == (both.confined, both.executes, both.memory_mb)


def test_a_foreign_program_is_held_by_its_limits_alone() -> None:
    foreign = ROLES[FOREIGN]

    assert (False, True, Rights()) == (foreign.confined, foreign.executes, foreign.rights)
