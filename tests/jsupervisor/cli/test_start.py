"""`jsupervisor start`: everything is checked first, each step is told, every end leaves nothing."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsupervisor.cli.errors import CliError
from jsupervisor.cli.start import parse_ports
from jsupervisor.paths import instance

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli, MakeInit, RequireGone

TOY = """
[profile]
name = "toy"
[program.mgd]
entry = "jsupervisor.runtime.daemon:Daemon"
[program.rpd]
entry = "jsupervisor.runtime.daemon:Daemon"
requires = ["mgd"]
"""


def test_ports_are_given_by_name() -> None:
    assert {
        "ge-0/0/0": "udp:7000,7001",
        "xe-1/2/3": "unix:/tmp/x",
    } == parse_ports(["ge-0/0/0=udp:7000,7001", "xe-1/2/3=unix:/tmp/x"])


def test_a_relative_path_is_meant_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/tmp")

    assert {"ge-0/0/0": "unix:/tmp/left"} == parse_ports(["ge-0/0/0=unix:left"])


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (["ge-0/0/0"], "cannot use port 'ge-0/0/0': write IFNAME=SPEC"),
        (["ge-0/0/0="], "cannot use port 'ge-0/0/0=': write IFNAME=SPEC"),
        (["eth0=udp:1,2"], "cannot use port 'eth0': an interface is called like ge-0/0/1"),
        (["ge-0/0/0.0=udp:1,2"], "cannot use port 'ge-0/0/0.0'"),
        (["ge-0/0/0=udp:1,2"] * 2, "cannot use port ge-0/0/0 twice: udp:1,2 and udp:1,2"),
        (["ge-0/0/0=smoke:signals"], "cannot use port spec 'smoke:signals'"),
        (["ge-0/0/0=unix:"], "cannot use port spec 'unix:'"),
        (["ge-0/0/0=unix:/" + "x" * 200], "cannot use port spec"),
    ],
)
def test_a_bad_port_is_wrong_input(values: list[str], error: str) -> None:
    with pytest.raises(CliError, match=error) as raised:
        parse_ports(values)

    assert 2 == raised.value.code


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("--profile", "mx9"), 2, "cannot use profile 'mx9': there are mx240, vmx"),
        (("--profile", "/none.toml"), 2, "cannot read profile /none.toml: No such file"),
        (("--policy", "kind"), 2, "cannot use policy 'kind': there are junos"),
        (("--port", "ge-9/9/9=udp:1,2"), 2, "cannot use port ge-9/9/9: the profile vmx has no"),
        (("--config", "/none.conf"), 2, "cannot read /none.conf: No such file or directory"),
        (("--name", "../x"), 2, "cannot use '../x' as an instance name"),
        (("--architecture", "round"), 2, "cannot run 'jsupervisor start': invalid value for"),
    ],
)
def test_what_cannot_be_started_is_one_clear_line_and_leaves_nothing(
    cli: Cli, home: Path, arguments: tuple[str, ...], code: int, error: str
) -> None:
    result = cli("start", *arguments)

    assert (code, "", 1) == (result.code, result.out, len(result.err.splitlines()))
    assert result.err.startswith(f"jsupervisor: {error}")
    assert not home.exists()


def test_a_bad_configuration_starts_nothing(cli: Cli, home: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.conf"
    bad.write_text("nonsense;\n")
    result = cli("start", "--config", str(bad))

    assert 2 == result.code
    assert result.err.startswith(f"jsupervisor: cannot load {bad}:1:1: ")
    assert not home.exists()


def test_a_second_start_of_the_same_name_is_refused(cli: Cli, make_init: MakeInit) -> None:
    make_init()
    result = cli("start")

    assert (1, "jsupervisor: cannot start 'default': it is running already") == (
        *(result.code,),
        result.err.partition(" (")[0],
    )


# -- real instances -------------------------------------------------------------------------------


class Started:
    """A `jsupervisor start` in a process of its own."""

    def __init__(self, profile: Path, *arguments: str) -> None:
        argv = [sys.executable, "-m", "jsupervisor.cli.main", "start", "--profile", str(profile)]
        self.process = subprocess.Popen(
            [*argv, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []

    def read_until(self, text: str) -> None:
        """Lines, up to the one that holds `text`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return
        raise AssertionError(f"{text!r} is not in {self.lines}: {self.end()}")

    def end(self) -> tuple[int, str]:
        """Exit code and stderr, when it has ended."""
        out, err = self.process.communicate(timeout=30)
        self.lines.extend(out.splitlines())
        return self.process.returncode, err


@pytest.fixture
def toy(home: Path, tmp_path: Path, require_gone: RequireGone) -> Iterator[Path]:
    """A profile of two daemons that do nothing; no process of it survives the test."""
    profile = tmp_path / "toy.toml"
    profile.write_text(TOY)
    yield profile
    require_gone(instance("default"))


def position(lines: list[str], text: str) -> int:
    return next(number for number, line in enumerate(lines) if text in line)


@pytest.mark.system
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_boot_is_told_as_it_happens_and_ctrl_c_ends_it_in_order(
    toy: Path, number: signal.Signals
) -> None:
    started = Started(toy)
    started.read_until("fault inject")
    started.process.send_signal(number)

    assert (0, "") == started.end()
    steps = [
        *("booting toy, modular", "init: started", "launch-control (PID", "management (PID"),
        *("management (PID", "Creating initial configuration...mgd: ready", "routing (PID"),
        *("default is up: toy, 2 modules after", "init: stopping", "ended as requested (stop)"),
        "default stopped",
    ]
    places = [position(started.lines, step) for step in steps]
    assert sorted(places) == places
    routing, management = (
        position(started.lines, f"{name} (PID") for name in ("routing", "management")
    )
    assert management < routing
    assert [] == [line for line in started.lines if "opyright" in line]


@pytest.mark.system
def test_ctrl_c_during_the_boot_ends_it_too(toy: Path) -> None:
    started = Started(toy)
    started.read_until("init: started")
    started.process.send_signal(signal.SIGINT)

    assert (0, "") == started.end()
    assert "default stopped" == started.lines[-1]


@pytest.mark.system
def test_a_crash_is_told_while_it_runs(toy: Path, cli: Cli) -> None:
    started = Started(toy)
    started.read_until("fault inject")
    assert 0 == cli("fault", "inject", "kill", "rpd").code
    started.read_until("is ready again after")
    started.process.send_signal(signal.SIGINT)

    assert (0, "") == started.end()
    assert [line for line in started.lines if "terminated by signal number 9 (SIGKILL)" in line]


@pytest.mark.system
def test_a_stop_from_elsewhere_is_a_good_end(toy: Path, cli: Cli) -> None:
    started = Started(toy)
    started.read_until("fault inject")

    assert (0, "default stopped\n") == ((result := cli("stop")).code, result.out)
    assert (0, "") == started.end()
    assert "default stopped" == started.lines[-1]


@pytest.mark.system
def test_the_death_of_init_is_one_clear_line_and_leaves_nothing(toy: Path, cli: Cli) -> None:
    started = Started(toy)
    started.read_until("fault inject")
    status = json.loads(cli("status", "--json").out)
    os.kill(status["init"]["pid"], signal.SIGKILL)
    code, err = started.end()

    assert (1, 1) == (code, len(err.splitlines()))
    assert err.startswith("jsupervisor: cannot go on with default: init ended with signal SIGKILL")
    assert not instance("default").run_dir.exists()


@pytest.mark.system
def test_a_reader_that_goes_away_ends_it(toy: Path) -> None:
    started = Started(toy)
    started.read_until("init: started")
    assert started.process.stdout is not None
    started.process.stdout.close()
    started.process.stdout = None

    assert (1, "") == (started.process.wait(30), started.process.communicate()[1])


@pytest.mark.system
def test_detached_it_returns_when_all_is_up(toy: Path, cli: Cli) -> None:
    started = Started(toy, "--detach")

    assert (0, "") == started.end()
    assert ["up", "up"] == [
        each["state"] for each in json.loads(cli("status", "--json").out)["modules"]
    ]
    assert 0 == cli("stop").code


@pytest.mark.system
def test_detached_it_fails_with_the_reason_and_leaves_nothing(toy: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text(
        TOY.replace('requires = ["mgd"]', "options = { x = 1 }").replace(
            "runtime.daemon:Daemon", "runtime.daemon:Nothing", 1
        )
    )
    code, err = Started(broken, "--detach").end()

    assert (1, 1) == (code, len(err.splitlines()))
    assert err.startswith("jsupervisor: cannot bring up mgd: exit:1: ")
    assert "mgd.stderr)" in err
    assert not instance("default").run_dir.exists()


@pytest.mark.system
def test_on_a_terminal_there_is_a_live_view(toy: Path) -> None:
    controller, terminal = os.openpty()
    argv = [sys.executable, "-m", "jsupervisor.cli.main", "start", "--profile", str(toy)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(
        argv, stdin=terminal, stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    seen = b""
    try:
        while b"Ctrl-C stops the router" not in seen:
            assert select.select([controller], [], [], 30)[0], seen
            seen += os.read(controller, 65536)
        process.send_signal(signal.SIGINT)
        while b"default stopped" not in seen:
            assert select.select([controller], [], [], 30)[0], seen
            seen += os.read(controller, 65536)
        assert 0 == process.wait(30)
    finally:
        process.kill()
        process.wait()
        os.close(controller)
