"""Rulesets, put into force in children."""

from __future__ import annotations

import errno
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from jsupervisor.containment import landlock, limits, machine
from jsupervisor.containment.landlock import Paths

ABI = machine.look().landlock
pytestmark = pytest.mark.skipif(not ABI, reason="the kernel has no Landlock")
InChild = Callable[[Callable[[], object]], object]


def restricted(paths: Paths, attempt: Callable[[], object], **more: bool) -> Callable[[], object]:
    """The attempt in a process that holds itself to these rules."""

    def run() -> object:
        limits.no_new_privs()
        landlock.restrict(landlock.make_ruleset(paths, ABI, **more))
        return attempt()

    return run


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder that may be read, one that may be written, and one that may not be touched."""
    for name in ("read", "write", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    return tmp_path


def rules(house: Path) -> Paths:
    return Paths(reads=(f"{house}/read", "/not/there"), writes=(f"{house}/write",))


@pytest.mark.parametrize(
    "attempt",
    [
        lambda house: (house / "closed" / "file").read_text(),
        lambda house: os.listdir(house / "closed"),
        lambda house: os.listdir(house),
        lambda house: (house / "read" / "file").write_text("x"),
        lambda house: (house / "read" / "new").touch(),
        lambda house: (house / "read" / "file").unlink(),
        lambda house: os.mkfifo(house / "write" / "fifo"),
        lambda house: os.rename(house / "write" / "file", house / "read" / "moved"),
        lambda house: os.execv("/bin/true", ["true"]),
    ],
)
def test_what_is_closed_is_refused(
    in_child: InChild, house: Path, attempt: Callable[[Path], object]
) -> None:
    with pytest.raises(OSError) as caught:
        in_child(restricted(rules(house), lambda: attempt(house)))

    assert caught.value.errno in (errno.EACCES, errno.EXDEV)


def use(house: Path) -> list[str]:
    """Everything that the rules allow."""
    own = house / "write"
    (own / "file").write_text((house / "read" / "file").read_text())
    os.rename(own / "file", own / "renamed")
    (own / "folder").mkdir()
    os.symlink("renamed", own / "link")
    with socket.socket(socket.AF_UNIX) as sock:
        os.chdir(own)
        sock.bind("socket")
    os.rmdir(own / "folder")
    return sorted(os.listdir(own))


def test_what_is_open_works(in_child: InChild, house: Path) -> None:
    assert ["link", "renamed", "socket"] == in_child(restricted(rules(house), lambda: use(house)))


def test_a_rule_may_stand_for_one_file(in_child: InChild, house: Path) -> None:
    paths = Paths(writes=(f"{house}/write/file",))

    def write() -> object:
        with open(house / "write" / "file", "a") as file:
            return file.write("more")

    assert 4 == in_child(restricted(paths, write))


def signal_parent() -> None:
    os.kill(os.getppid(), 0)


@pytest.mark.skipif(ABI < 6, reason="scopes came with ABI 6")
def test_nobody_outside_is_signalled_unless_the_rules_let_it(in_child: InChild) -> None:
    with pytest.raises(PermissionError):
        in_child(restricted(Paths(), signal_parent))
    in_child(restricted(Paths(), signal_parent, signals=True))


@pytest.mark.skipif(ABI < 6, reason="scopes came with ABI 6")
def test_no_abstract_socket_outside_is_reached(in_child: InChild) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0landlock-{os.getpid()}")
        listener.listen()
        name = listener.getsockname()

        with pytest.raises(PermissionError):
            in_child(restricted(Paths(), lambda: socket.socket(socket.AF_UNIX).connect(name)))


@pytest.mark.skipif(ABI < 4, reason="TCP came with ABI 4")
def test_no_tcp(in_child: InChild) -> None:
    with pytest.raises(PermissionError):
        in_child(restricted(Paths(), lambda: socket.socket().bind(("127.0.0.1", 0))))


@pytest.mark.parametrize("version", range(1, ABI + 1))
def test_older_kernels_are_asked_for_less(version: int) -> None:
    os.close(landlock.make_ruleset(Paths(reads=("/usr",)), version))


def test_a_signal_to_itself_is_its_own_affair(in_child: InChild) -> None:
    in_child(restricted(Paths(), lambda: signal.raise_signal(signal.SIGCONT)))
