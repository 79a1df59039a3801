"""What is said when an instance is up."""

from __future__ import annotations

from jsupervisor.cli.following import arrival
from jsupervisor.observer.status import parse
from jsupervisor.paths import instance


def test_at_the_end_of_the_boot_it_is_said_where_things_are() -> None:
    status = parse({"profile": "vmx", "modules": [{"name": "rpd", "state": "up"}]})
    lines = arrival(instance("r1"), status, 1.234, ("status", "events"))

    assert [
        "r1 is up: vmx, 1 module after 1.23 s",
        f"  logs     {instance('r1').log_dir}",
        f"  sockets  {instance('r1').run_dir}",
        "  next     jsupervisor status --name r1",
        "           jsupervisor events --name r1",
    ] == lines


def test_what_is_not_up_is_named() -> None:
    status = parse({"profile": "x", "modules": [{"name": "a", "state": "failed"}]})

    assert "  not up   a (failed)" in arrival(instance("default"), status, 1.0, ("status",))
