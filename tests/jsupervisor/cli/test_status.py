"""`jsupervisor status`: fields, table, and what it does not import."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from jsupervisor.cli.status import (
    Usage,
    columns,
    header,
    report,
    rows,
    spare_lines,
    usage_of,
)

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli, MakeInit, MakeStatus

    from jsupervisor.initproto import Json

FIELDS = [
    *("name", "executable", "cli_name", "display_name", "pid", "incarnation", "state", "socket"),
    *("ready_at", "restarts", "last_cause", "tree_kill", "rss_bytes", "cpu_seconds"),
]


def test_the_json_has_exactly_the_promised_fields(
    cli: Cli, make_init: MakeInit, module: MakeStatus
) -> None:
    make_init(module("rpd", os.getpid()), module("pfe0", None, socket=None))
    result = cli("status", "--json")

    assert 0 == result.code
    status = result.json
    assert isinstance(status, dict)
    assert [
        *("instance", "profile", "architecture", "run_dir"),
        *("init", "jlaunchd", "launcher", "tree_kill", "containment", "modules", "spares"),
    ] == list(status)
    modules = status["modules"]
    assert isinstance(modules, list)
    assert [FIELDS, FIELDS] == [list(each) for each in modules]
    assert {"pid": None, "incarnation": 2} == status["jlaunchd"]
    assert modules[0]["rss_bytes"] > 1 << 20
    assert modules[0]["cpu_seconds"] > 0
    assert [None, None, None] == [modules[1][key] for key in ("socket", "rss_bytes", "cpu_seconds")]


def test_the_table_has_a_line_for_each_module(
    cli: Cli, make_init: MakeInit, module: MakeStatus
) -> None:
    make_init(module("rpd", None, state="failed", restarts=3, last_cause="signal:SIGKILL"))
    result = cli("status")

    assert 0 == result.code
    lines = result.out.splitlines()
    assert "default: vmx, modular" == lines[0]
    assert "jlaunchd PID - (incarnation 2)" in lines[1]
    assert ["MODULE", "PROCESS", "PID"] == lines[4].split()[:3]
    assert ["rpd", "routing", "-", "failed", "1", "3", "-", "-", "signal:SIGKILL"] == (
        lines[5].split()
    )


def test_what_containment_lacks_stands_above_the_table() -> None:
    loose: dict[str, Json] = {"name": "mine", "pid": 7, "tree_kill": "best-effort"}
    words: dict[str, Json] = {"uids": "no: not mapped", "landlock": "ABI 7", "cgroup": "no: none"}
    lines = header(report({"modules": [loose], "containment": words}, usage_of))

    assert (
        "containment lacks: uids no: not mapped;"
        " processes that mine may leave behind end by best effort only"
    ) == lines[-1]


def test_who_is_not_root_is_not_told_so_every_time() -> None:
    words: dict[str, Json] = {"uids": "no: not root: all modules run as the user who started them"}
    lines = header(report({"modules": [], "containment": words}, usage_of))

    assert not any("lacks" in line for line in lines)


def test_an_instance_that_does_not_run_is_one_clear_line(cli: Cli) -> None:
    result = cli("status")

    assert (1, "") == (result.code, result.out)
    assert result.err.startswith("jsupervisor: cannot reach instance default: it is not running")


def test_an_init_that_is_stopped_is_one_clear_line(
    cli: Cli, make_init: MakeInit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jsupervisor.cli.common.STATUS_SECONDS", 0.05)
    make_init(silent=True)
    result = cli("status")

    assert 1 == result.code
    assert (
        "jsupervisor: cannot read the status of instance default: init does not answer\n"
        == result.err
    )


def test_neither_grpc_nor_trio_nor_rich_is_imported_and_it_is_quick(
    home: object, make_init: MakeInit, module: MakeStatus
) -> None:
    make_init(module("rpd", os.getpid()))
    program = (
        "import sys; from jsupervisor.cli.main import run; code = run(['status', '--json']);"
        "print(code, [m for m in ('grpc', 'trio', 'rich', 'numpy') if m in sys.modules],"
        " file=sys.stderr)"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    print(f"status took {(time.monotonic() - began) * 1e3:.0f} ms, interpreter included")

    assert "0 []\n" == done.stderr


def test_a_process_that_is_gone_uses_nothing() -> None:
    assert usage_of(2**22 + 1) is None


def test_a_status_without_modules_has_an_empty_table() -> None:
    status = report({"instance": "x", "modules": None}, lambda _: Usage(1, 1.0))

    assert [] == rows(status)
    assert ["A  PID"] == columns(("A", "PID"), [])


def test_figures_stand_to_the_right() -> None:
    assert ["A   PID", "x     7", "yy  123"] == columns(("A", "PID"), [("x", "7"), ("yy", "123")])


def test_spares_have_a_line_each_with_what_they_cost() -> None:
    spares: list[Json] = [
        {"name": "rpd", "incarnation": 4, "state": "waiting", "pid": os.getpid()},
        {"name": "dcd", "incarnation": 2, "state": "made", "pid": None},
    ]
    status = report({"modules": [], "spares": spares}, usage_of)
    empty, first, second = spare_lines(status)

    assert "" == empty
    assert first.startswith(f"spare rpd incarnation 4: PID {os.getpid()}, waiting, ")
    assert first.endswith("M its own")
    assert "spare dcd incarnation 2: PID -, made" == second
