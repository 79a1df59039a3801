"""What `doctor` says of containment."""

from __future__ import annotations

from jsupervisor.cli.containment_probes import containment_checks
from jsupervisor.containment.cgroups import Groups
from jsupervisor.containment.machine import Machine

NOTHING = Machine(
    no_landlock="Operation not supported",
    no_seccomp="no filter is known for riscv64",
    groups=Groups(why="no cgroup file system of version 2"),
)
ALL = Machine(
    landlock=7,
    seccomp="x86_64",
    groups=Groups(unified="/there", apart={"memory": "/m", "pids": "/p", "cpu": "/c"}),
)


def test_whatever_lacks_is_named_with_the_reason_and_is_not_essential() -> None:
    checks = containment_checks(NOTHING, "not root")

    assert [False] * 5 == [check.ok for check in checks]
    assert [False] * 5 == [check.essential for check in checks]
    assert [
        "not root",
        "Operation not supported",
        "no filter is known for riscv64",
        "no cgroup file system of version 2",
        "no controller",
    ] == [check.value for check in checks]


def test_where_all_is_there_all_is_well() -> None:
    checks = containment_checks(ALL, "")

    assert [True] * 5 == [check.ok for check in checks]
    assert "memory pids cpu" == checks[-1].value


def test_an_old_landlock_says_what_it_leaves_to_others() -> None:
    old = Machine(landlock=3)

    assert "ABI 3, which leaves signals and abstract sockets to seccomp and uids" == (
        containment_checks(old, "")[1].value
    )


def test_this_machine_can_be_asked() -> None:
    assert 5 == len(containment_checks())
