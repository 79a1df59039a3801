"""Which runtime a granted process runs, and what a blank does ahead."""

from __future__ import annotations

import socket
import threading

import pytest

from jsupervisor.initproto import Connection, Message
from jsupervisor.launcher.child import NOT_GRANTED
from jsupervisor.launcher.runners import full_runner, lean_runner, runner_of, trace_of, warmer_of
from jsupervisor.runtime.crash import STDERR


def test_each_stage_has_its_runner() -> None:
    assert lean_runner is runner_of("lean")
    assert full_runner is runner_of("full")


@pytest.mark.parametrize(("order", "fd"), [({"trace": 7}, 7), ({}, STDERR)])
def test_the_trace_is_the_one_that_the_order_names(order: Message, fd: int) -> None:
    assert fd == trace_of(order).fd


@pytest.mark.parametrize("stage", ["lean", "full"])
def test_what_a_blank_does_ahead_leaves_no_thread(stage: str) -> None:
    before = threading.enumerate()
    warmer_of(stage)()

    assert before == threading.enumerate()


def test_a_lean_spare_that_is_not_called_does_not_run() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.close()
    connection = Connection(theirs)
    code = lean_runner({"name": "pfe0", "spare": True}, connection)
    connection.close()

    assert NOT_GRANTED == code
