"""`jsupervisor show`: data as given with --json, in Junos' layout without."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from jsupervisor.cli.show import with_protocols

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli, MakeInit, MakeStatus, ServeModule

    from jsupervisor.initproto import Json

CASES = [
    (("version",), "mgd", "software-information", {"host-name": "r1"}, "Hostname: r1\n"),
    (
        ("chassis", "hardware"),
        *("chassisd", "chassis-inventory"),
        {"chassis": {"name": "Chassis"}},
        "Hardware inventory:\n",
    ),
    (("chassis", "fpc"), "chassisd", "fpc-information", {"fpc": []}, "Slot State"),
    (
        ("interfaces", "terse"),
        *("dcd", "interface-information"),
        {"physical-interface": [{"name": "lo0"}]},
        "lo0",
    ),
    (
        ("route",),
        *("rpd", "route-information"),
        {"route-table": [{"table-name": "inet.0"}]},
        "inet.0: 0 destinations",
    ),
    (
        ("route", "forwarding-table"),
        *("pfectl0", "forwarding-table-information"),
        {"route-table": [{"table-name": "default.inet"}]},
        "Routing table: default.inet\n",
    ),
    (("system", "alarms"), "alarmd", "alarm-information", {}, "No alarms currently active\n"),
    (
        ("system", "uptime"),
        *("mgd", "system-uptime-information"),
        {"current-time": {"date-time": "now"}},
        "Current time: now\n",
    ),
]


@pytest.mark.parametrize(("words", "name", "query", "data", "text"), CASES)
def test_every_command_prints_what_its_module_says(
    cli: Cli,
    make_init: MakeInit,
    module: MakeStatus,
    serve_module: ServeModule,
    words: tuple[str, ...],
    name: str,
    query: str,
    data: Json,
    text: str,
) -> None:
    init = make_init(module(name, 1))
    with serve_module(init.instance, name, {query: {query: data}}):
        plain, machine = cli("show", *words), cli("show", *words, "--json")
        short = cli("sh", *(word[:4] for word in words))

    assert (0, 0) == (plain.code, machine.code)
    assert text in plain.out
    assert plain.out == short.out
    assert {query: data} == machine.json


@pytest.mark.parametrize(("words", "name", "query", "data", "text"), CASES)
def test_a_dead_module_is_not_running_in_junos_words(
    cli: Cli,
    make_init: MakeInit,
    module: MakeStatus,
    words: tuple[str, ...],
    name: str,
    query: str,
    data: Json,
    text: str,
) -> None:
    dead = module(name, None)
    make_init(dead)
    result = cli("show", *words)

    assert (1, "") == (result.code, result.out)
    assert result.err == (
        f"jsupervisor: cannot show {' '.join(words)}:"
        f" error: the {dead['cli_name']} subsystem is not running\n"
    )


def test_a_destination_is_passed_on(
    cli: Cli, make_init: MakeInit, module: MakeStatus, serve_module: ServeModule
) -> None:
    init = make_init(module("rpd", 1))
    with serve_module(init.instance, "rpd", {"route-information": {}}) as rpd:
        result = cli("show", "route", "192.0.2.0/24", "--json")

    assert (0, {"destination": "192.0.2.0/24"}) == (result.code, rpd.arguments)


def test_what_is_no_destination_is_wrong_input(cli: Cli) -> None:
    result = cli("show", "route", "nowhere")

    assert 2 == result.code
    assert (
        "jsupervisor: cannot show routes to 'nowhere': it is neither an address nor a prefix\n"
        == result.err
    )


def test_uptime_has_the_start_of_routing_in_its_place(
    cli: Cli, make_init: MakeInit, module: MakeStatus, serve_module: ServeModule
) -> None:
    init = make_init(module("mgd", 1), module("rpd", 1))
    system = {"system-booted-time": {"date-time": "b"}, "uptime-information": {}}
    protocols = {"protocols-started-time": {"date-time": "p"}}
    with (
        serve_module(
            init.instance,
            "mgd",
            {"system-uptime-information": {"system-uptime-information": system}},
        ),
        serve_module(init.instance, "rpd", {"protocols-started-time": protocols}),
    ):
        result = cli("show", "system", "uptime", "--json")

    assert ["system-booted-time", "protocols-started-time", "uptime-information"] == list(
        json.loads(result.out)["system-uptime-information"]
    )


def test_an_answer_of_another_shape_is_left_as_it_is() -> None:
    assert [] == with_protocols([], {"protocols-started-time": {}})
    assert {"system-uptime-information": {"protocols-started-time": 1}} == with_protocols(
        {"system-uptime-information": {}}, {"protocols-started-time": 1}
    )


def test_the_forwarding_table_comes_from_the_first_engine_that_answers(
    cli: Cli, make_init: MakeInit, module: MakeStatus, serve_module: ServeModule
) -> None:
    init = make_init(module("pfectl1", None), module("pfectl2", 1))
    query = "forwarding-table-information"
    with serve_module(init.instance, "pfectl2", {query: {query: {}}}):
        result = cli("show", "route", "forw", "--json")

    assert (0, {query: {}}) == (result.code, result.json)


def test_a_profile_without_an_engine_has_no_forwarding_table(cli: Cli, make_init: MakeInit) -> None:
    make_init()
    result = cli("show", "route", "forwarding-table")

    assert 1 == result.code
    assert "the profile has no packet engine" in result.err


def test_processes_are_shown_from_proc(cli: Cli, make_init: MakeInit, module: MakeStatus) -> None:
    make_init(module("rpd", os.getpid()))
    plain = cli("show", "system", "processes")
    extensive = cli("sh", "sys", "proc", "ext")
    data = cli("show", "system", "processes", "--json")

    assert [0, 0, 0] == [plain.code, extensive.code, data.code]
    assert str(os.getpid()) == plain.out.splitlines()[-1].split()[0]
    assert extensive.out.startswith("last pid: ")
    assert "system-process-information" in data.out
    assert 2 == cli("show", "system", "processes", "brief").code


def test_core_files_are_shown_of_a_dead_instance_too(cli: Cli, make_init: MakeInit) -> None:
    init = make_init()
    init.die()
    (init.instance.crash_dir / "rpd.core.0").write_bytes(b"x" * 7)
    result = cli("show", "system", "core-dumps")

    assert 0 == result.code
    assert result.out.endswith(f"{init.instance.crash_dir}/rpd.core.0\ntotal files: 1\n")
    assert 1 == cli("show", "system", "core-dumps", "--name", "nobody").code
