"""Programs that init itself executes: told by a supervisor that is a puppet."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jsupervisor.init.nursery import POOL
from jsupervisor.initproto import Json, Message

pytestmark = pytest.mark.system

Rig = Callable[..., Any]

SPEC: dict[str, Json] = {
    "readiness": "none",
    "env": {},
    "cwd": "/",
    "user": "",
    "limits": {"core_bytes": 0},
}


def start(init: Any, command: list[str], incarnation: int = 1, **spec: Json) -> Any:
    """A jlaunchd that has had a program started, and its folder."""
    log = str(Path(init.folder) / "program.log")
    foreign = {**SPEC, "command": command, "log": log, **spec}
    order = {"instance": "rig", "name": "p", "executable": "p", "foreign": foreign}
    jlaunchd: Any = init.jlaunchd
    jlaunchd.say(
        "start", name="p", incarnation=incarnation, stage="foreign", order=order, record=None
    )
    return jlaunchd


@pytest.fixture
def init(rig: Rig) -> Any:
    """A real init, and its supervisor."""
    found = rig()
    found.jlaunchd, _ = found.staff()
    return found


def written(init: Any) -> str:
    """What the program has written."""
    path = Path(init.folder) / "program.log"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def running(message: Message) -> int:
    """The pid in a message about a process."""
    process = message["process"]
    assert isinstance(process, dict)
    pid = process["pid"]
    assert isinstance(pid, int)
    return pid


def test_it_is_claimed_at_once_and_ready_when_it_is_executed(init: Any) -> None:
    jlaunchd = start(init, ["sleep", "999"])
    pid = running(jlaunchd.expect("claimed"))
    report = jlaunchd.expect("report")

    assert ("ready", pid) == (report["stage"], running(report))
    assert b"sleep\x00999\x00" == Path(f"/proc/{pid}/cmdline").read_bytes()


def test_its_exit_is_a_notice_as_of_a_module(init: Any) -> None:
    jlaunchd = start(init, ["sh", "-c", "exit 5"])

    assert "exit:5" == jlaunchd.expect("exit", name="p")["cause"]


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        ({"cwd": "/no/such"}, "exec:No such file or directory: /no/such"),
        ({"user": "no-such-user"}, "exec:there is no user 'no-such-user'"),
        ({"log": "/no/such/log"}, "exec:No such file or directory: /no/such/log"),
    ],
)
def test_what_cannot_be_executed_says_why(init: Any, spec: dict[str, Any], cause: str) -> None:
    jlaunchd = start(init, ["sleep", "999"], 1, **spec)

    assert cause == jlaunchd.expect("exit", name="p")["cause"]
    assert "report" not in {message["op"] for message in jlaunchd.heard}


def test_a_program_that_is_not_there_says_so(init: Any) -> None:
    jlaunchd = start(init, ["/no/such"])

    assert "exec:No such file or directory: /no/such" == jlaunchd.expect("exit")["cause"]


def test_a_newline_on_its_descriptor_is_readiness_and_other_words_are_not(init: Any) -> None:
    jlaunchd = start(init, ["sh", "-c", "printf x >&9; echo >&9; exec sleep 999"], readiness="fd:9")

    assert "ready" == jlaunchd.expect("report")["stage"]


def test_a_descriptor_closed_without_a_newline_is_none(init: Any) -> None:
    jlaunchd = start(init, ["sh", "-c", "exec 9>&-; sleep 0.1"], readiness="fd:9")
    jlaunchd.expect("exit", name="p")

    assert "report" not in {message["op"] for message in jlaunchd.heard}


def test_a_datagram_of_somebody_else_is_passed_over(init: Any) -> None:
    send = (
        "import os, socket, time;"
        "out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
        "address = os.environ['NOTIFY_SOCKET'];"
        "print(address, flush=True);"
        "time.sleep(0.3);"
        "out.sendto(b'READY=1', address.replace('@', chr(0), 1));"
        "time.sleep(999)"
    )
    jlaunchd = start(init, [sys.executable, "-c", send], readiness="notify")
    jlaunchd.expect("claimed")
    while not written(init).endswith("\n"):
        init.status()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.sendto(b"READY=1", written(init).strip().replace("@", "\0", 1))
    init.status()
    jlaunchd.sync()
    early = [message for message in jlaunchd.heard if message["op"] == "report"]

    assert [] == early
    assert "ready" == jlaunchd.expect("report")["stage"]


def test_its_surroundings_are_clean_and_what_was_asked_for(init: Any) -> None:
    jlaunchd = start(
        init,
        ["sh", "-c", "env | sort; pwd; ulimit -n; umask; ls /proc/self/fd | wc -l"],
        env={"LANG": "C"},
        cwd="/usr",
        limits={"core_bytes": 0, "files": 77},
        watchdog_usec=5,
    )
    jlaunchd.expect("exit", name="p")
    *environment, folder, files, mask, descriptors = written(init).splitlines()
    names = {line.partition("=")[0] for line in environment} - {"PWD", "SHLVL", "_", "OLDPWD"}

    assert {
        "PATH", "HOME", "USER", "LANG", "WATCHDOG_PID", "WATCHDOG_USEC",
        "JSUPERVISOR_INSTANCE", "JSUPERVISOR_PROGRAM", "JSUPERVISOR_INCARNATION",
    } == names  # fmt: skip
    assert ("/usr", "77", "0022", "4") == (folder, files, mask, descriptors)


def test_the_next_one_was_forked_ahead_and_is_told_what_to_be(init: Any) -> None:
    jlaunchd = start(init, ["sleep", "999"])
    pid = running(jlaunchd.expect("claimed"))
    while len(waiting := init.named("jinit-unborn")) < POOL:
        init.ask("status")
    os.kill(pid, signal.SIGKILL)
    jlaunchd.expect("exit", name="p")
    start(init, ["sleep", "999"], incarnation=2)

    assert running(jlaunchd.expect("claimed")) in [each.pid for each in waiting]


def test_a_child_that_died_while_it_waited_is_passed_over(init: Any) -> None:
    jlaunchd = start(init, ["sleep", "999"])
    pid = running(jlaunchd.expect("claimed"))
    while not (waiting := init.named("jinit-unborn")):
        init.ask("status")
    os.kill(waiting[0].pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    jlaunchd.expect("exit", name="p")
    start(init, ["sleep", "999"], incarnation=2)

    assert "ready" == jlaunchd.expect("report")["stage"]


def test_nonsense_is_refused_and_init_lives(init: Any) -> None:
    init.jlaunchd.say(
        "start", name="p", incarnation=1, stage="foreign", order={"foreign": 7}, record=None
    )

    assert "foreign is not an object" in init.jlaunchd.expect("refused")["why"]
    assert init.status()
