"""Signs of life: answered calls, stamped words, datagrams of sd_notify."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from collections.abc import Iterator

import pytest
import trio
import trio.testing

from jsupervisor import sdnotify
from jsupervisor.jlaunchd.signs import Answers, Notices, Word
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import client_to, make_order, run_daemon, short_run_dir


@pytest.fixture
def word() -> Iterator[int]:
    """A memory file that a module would stamp."""
    fd = os.memfd_create("heartbeat")
    yield fd
    os.close(fd)


def stamp(fd: int, value: int) -> None:
    """What LeanHost.beat does."""
    os.pwrite(fd, struct.pack("<q", value), 0)


def test_a_word_is_a_sign_when_it_has_changed(word: int) -> None:
    stamp(word, 1)
    sign = Word(os.dup(word))
    looks = [sign.look()]
    stamp(word, 2)
    looks += [sign.look(), sign.look()]
    sign.close()

    assert [False, True, False] == looks


def test_the_word_that_a_predecessor_left_is_no_sign(word: int) -> None:
    stamp(word, 99)
    sign = Word(os.dup(word))

    assert not sign.look()
    sign.close()


def test_a_word_that_was_never_written_is_no_sign(word: int) -> None:
    sign = Word(os.dup(word))

    assert not sign.look()
    sign.close()


def sender_to(receiver: socket.socket) -> socket.socket:
    """A program's end."""
    program = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    program.connect(receiver.getsockname())
    program.settimeout(10.0)
    return program


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Notices]]:
    """A program's end of its notify socket, and ours."""
    ours = sdnotify.receiver()
    theirs = sender_to(ours)
    notices = Notices(ours.detach(), os.getpid())
    yield theirs, notices
    notices.close()
    theirs.close()


def test_no_datagram_is_no_sign(pair: tuple[socket.socket, Notices]) -> None:
    assert not pair[1].look()


def test_watchdog_among_other_lines_is_a_sign_once(pair: tuple[socket.socket, Notices]) -> None:
    program, notices = pair
    program.send(b"STATUS=busy\nWATCHDOG=1\n")

    assert [True, False] == [notices.look(), notices.look()]


def test_other_datagrams_are_read_and_are_no_sign(pair: tuple[socket.socket, Notices]) -> None:
    program, notices = pair
    for data in (b"READY=1", b"WATCHDOG=10", b"XWATCHDOG=1", b"\xff\x00", b"WATCHDOG=trigger"):
        program.send(data)

    assert not notices.look()


def test_a_program_that_never_pauses_keeps_us_no_longer_than_one_look(
    pair: tuple[socket.socket, Notices],
) -> None:
    program, notices = pair
    program.setblocking(False)
    looked = 0
    for _ in range(20):
        try:
            while True:
                program.send(b"WATCHDOG=1")
        except BlockingIOError:
            looked += notices.look()

    assert 20 == looked


def test_a_sign_of_another_process_is_none() -> None:
    program = subprocess.Popen(["sleep", "999"])
    ours = sdnotify.receiver()
    notices = Notices(os.dup(ours.fileno()), program.pid)
    with ours, sender_to(ours) as stranger:
        stranger.send(b"WATCHDOG=1")
        sign = notices.look()
    notices.close()
    program.kill()
    program.wait()

    assert not sign


async def test_who_sends_more_than_a_socket_holds_is_attended_and_never_waits(
    pair: tuple[socket.socket, Notices],
) -> None:
    program, notices = pair
    crowded = [notices.crowded]
    for _ in range(6):
        program.send(b"WATCHDOG=1")
    looks = [notices.look()]
    crowded.append(notices.crowded)
    async with trio.open_nursery() as nursery:
        await nursery.start(attend, notices)
        crowded.append(notices.crowded)
        for _ in range(3):
            for _ in range(1000):
                await trio.to_thread.run_sync(program.send, b"WATCHDOG=1")
            looks.append(notices.look())
            await trio.testing.wait_all_tasks_blocked(0.01)
            looks.append(notices.look())
        notices.close()

    assert [False, True, False] == crowded
    assert [True, *(True, False) * 3] == looks


async def attend(notices: Notices, task_status: trio.TaskStatus[None]) -> None:
    """What hearts does with a crowded one."""
    task_status.started()
    await notices.attend()


async def looked(sign: Answers) -> bool:
    """The first look that shows something."""
    with trio.fail_after(10):
        while not sign.look():
            await trio.sleep(0.001)
    return True


async def test_a_daemon_answers_again_and_again() -> None:
    with short_run_dir() as run_dir:
        async with run_daemon(Daemon(make_order(run_dir, "rpd"))) as rpd:
            await rpd.ready.wait()
            sign = Answers(rpd.client("jlaunchd"), 5.0)
            answered = [await looked(sign) for _ in range(3)]
            sign.close()

    assert [True] * 3 == answered
    assert sign.seconds > 0


async def test_a_question_that_nobody_answers_stays_open_and_is_no_sign() -> None:
    with short_run_dir() as run_dir:
        sign = Answers(client_to(run_dir, "rpd", "jlaunchd"), 60.0)
        looks = [sign.look() for _ in range(3)]
        async with run_daemon(Daemon(make_order(run_dir, "rpd"))):
            late = await looked(sign)
        sign.close()

    assert [False] * 3 == looks
    assert late


async def test_a_question_that_ends_without_an_answer_is_asked_anew() -> None:
    with short_run_dir() as run_dir:
        sign = Answers(client_to(run_dir, "rpd", "jlaunchd"), 0.01)
        async with run_daemon(Daemon(make_order(run_dir, "rpd"))):
            answered = await looked(sign)
        sign.close()

    assert answered
