"""What a child does with what it is told; what it cannot do it says in one line."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from jsupervisor.init.newborn import FAILED, wait_to_be
from jsupervisor.initproto import Connection, Json

SPEC: dict[str, Json] = {
    "instance": "i", "name": "p", "incarnation": 3, "address": "", "env": {}, "cwd": "/",
    "user": "", "limits": {}, "readiness": "none",
}  # fmt: skip


def become(folder: Path, more: Sequence[int] = (), **told: Json) -> tuple[int, str, str]:
    """A child that was told this: its exit code, what it said, and what the program wrote."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    errors, errors_w = os.pipe2(os.O_CLOEXEC)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        ours.close()
        wait_to_be(theirs, parent, files)
    theirs.close()
    spec: Mapping[str, Json] = {**SPEC, "log": str(folder / "log"), **told}
    with ours:
        Connection(ours).send(spec, [errors_w, *more])
    os.close(errors_w)
    with open(errors, encoding="utf-8") as said:
        text = said.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    log = folder / "log"
    return code, text, log.read_text(encoding="utf-8") if log.exists() else ""


def shell(text: str) -> list[Json]:
    """A command line of the shell."""
    return ["sh", "-c", text]


def test_it_is_the_program_with_what_it_was_told(tmp_path: Path) -> None:
    command = shell('echo $JSUPERVISOR_PROGRAM $JSUPERVISOR_INCARNATION "$X" $PWD; exit 7')
    code, said, written = become(tmp_path, command=command, env={"X": "a b"}, cwd="/usr")

    assert (7, "", "p 3 a b /usr\n") == (code, said, written)


def test_limits_are_laid_and_no_higher_than_they_may_be(tmp_path: Path) -> None:
    limits: Json = {"files": 99, "core_bytes": 0}
    _, said, written = become(tmp_path, command=shell("ulimit -n; ulimit -c"), limits=limits)

    assert ("", "99\n0\n") == (said, written)


def test_the_readiness_descriptor_is_where_it_expects_it(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    code, said, _ = become(tmp_path, [writer], command=shell("echo >&3"), readiness="fd:3")
    os.close(writer)

    assert (0, "", b"\n") == (code, said, os.read(reader, 9))
    os.close(reader)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"command": ["/no/such/program"]}, "No such file or directory: /no/such/program"),
        ({"command": ["/etc"]}, "Permission denied: /etc"),
        ({"command": ["true"], "cwd": "/no/such"}, "No such file or directory: /no/such"),
        ({"command": ["true"], "user": "nobody-at-all"}, "there is no user 'nobody-at-all'"),
        ({"command": ["true"], "log": "/no/such/log"}, "No such file or directory: /no/such/log"),
    ],
)
def test_what_it_cannot_do_it_says(tmp_path: Path, told: dict[str, Json], text: str) -> None:
    code, said, written = become(tmp_path, (), **told)

    assert (FAILED, text, "") == (code, said, written)


def test_who_is_never_told_ends_when_the_other_end_is_closed() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        ours.close()
        wait_to_be(theirs, parent, (64, 64))
    theirs.close()
    ours.close()

    assert FAILED == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
