"""The newborn's side of the start protocol, against an init that answers as it likes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jsupervisor.initproto import encode
from jsupervisor.launcher.child import NOT_GRANTED, as_order
from jsupervisor.runtime.fakes import short_run_dir

NEWBORN = """
import json, os, sys
from jsupervisor.launcher import child
order, run_dir, init_pid = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
child.GRANT_TIMEOUT = float(sys.argv[4])
child.leave(child.be_module(order, run_dir, init_pid, os.getppid(), lambda order, connection: 42))
"""


class FakeInit:
    """A folder with init's socket, and the newborns that connect."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "log").mkdir()
        (folder / "crash").mkdir()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(str(folder / "init.sock"))
        self.socket.listen()
        self.socket.settimeout(15)

    def newborn(self, init_pid: int | None = None, grant: float = 15.0) -> subprocess.Popen[bytes]:
        """A process that wants to be rpd."""
        order = {"name": "rpd", "incarnation": 3, "home": str(self.folder)}
        arguments = [json.dumps(order), str(self.folder), str(init_pid or os.getpid()), str(grant)]
        return subprocess.Popen([sys.executable, "-c", NEWBORN, *arguments])

    def log(self) -> str:
        """What it said on stderr."""
        return (self.folder / "log" / "rpd.stderr").read_text()


@pytest.fixture
def init() -> Iterator[FakeInit]:
    """This process plays init."""
    with short_run_dir() as folder:
        fake = FakeInit(folder)
        yield fake
        fake.socket.close()


@pytest.mark.system
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (encode({"op": "granted"}), 42),
        (encode({"op": "refused", "why": "too late"}), NOT_GRANTED),
        (b"2{}", NOT_GRANTED),
        (None, NOT_GRANTED),
    ],
)
def test_only_a_granted_claim_runs_the_module(
    init: FakeInit, answer: bytes | None, code: int
) -> None:
    newborn = init.newborn()
    connection, _ = init.socket.accept()
    claim = connection.recv(1000)
    if answer is not None:
        connection.send(answer)
    else:
        connection.close()

    assert encode({"op": "claim", "name": "rpd", "incarnation": 3}) == claim
    assert code == newborn.wait(15)
    connection.close()


@pytest.mark.system
def test_who_gets_no_answer_leaves(init: FakeInit) -> None:
    newborn = init.newborn(grant=0.1)

    assert NOT_GRANTED == newborn.wait(15)
    assert "cannot reach init: timed out\n" == init.log()


@pytest.mark.system
def test_who_cannot_reach_init_leaves_and_says_so(init: FakeInit) -> None:
    (init.folder / "init.sock").unlink()
    newborn = init.newborn()

    assert NOT_GRANTED == newborn.wait(15)
    assert "cannot reach init: [Errno 2] No such file or directory\n" == init.log()


@pytest.mark.system
def test_who_is_adopted_by_somebody_else_than_init_leaves_at_once(init: FakeInit) -> None:
    program = f"""
import os, sys
from jsupervisor.launcher import child
child.ADOPTION_TIMEOUT = 3600
sys.exit(0 if not child.await_parent({2**22}, {2**22 + 1}) else 1)
"""

    assert 0 == subprocess.run([sys.executable, "-c", program], timeout=15, check=False).returncode


def test_an_order_is_an_object() -> None:
    assert {"name": "rpd"} == as_order({"name": "rpd"})
    with pytest.raises(TypeError, match="an order is a JSON object"):
        as_order([])


CONFINED = """
import json, os, sys
from jsupervisor.containment.cell import Cell
from jsupervisor.launcher import child
order, run_dir, step = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]

class Broken:
    name = "rpd"
def refuse(cell):
    raise LookupError("no such thing")
for name in ("enter", "bind", "seal"):
    function = refuse if name == step else lambda cell: None
    function.__name__ = name
    setattr(Cell, name, function)
run = lambda order, connection: 42
child.leave(child.be_module(order, run_dir, os.getppid(), os.getppid(), run, Broken()))
"""


@pytest.mark.system
@pytest.mark.parametrize(("step", "code"), [("", 42), ("enter", 1), ("bind", 1), ("seal", 1)])
def test_a_module_that_cannot_be_held_to_its_role_claims_its_place_and_does_not_run(
    init: FakeInit, step: str, code: int
) -> None:
    order = {"name": "rpd", "incarnation": 3, "home": str(init.folder)}
    arguments = [json.dumps(order), str(init.folder), step]
    newborn = subprocess.Popen([sys.executable, "-c", CONFINED, *arguments])
    connection, _ = init.socket.accept()
    claim = connection.recv(1000)
    connection.send(encode({"op": "granted"}))

    assert encode({"op": "claim", "name": "rpd", "incarnation": 3}) == claim
    assert code == newborn.wait(15)
    assert (f"cannot confine rpd: {step}: no such thing\n" if step else "") == init.log()
    connection.close()
