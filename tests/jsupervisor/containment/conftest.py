"""A child process that may be confined for ever, and what became of it."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from typing import TypeVar

import pytest

Result = TypeVar("Result")
InChild = Callable[[Callable[[], Result]], Result]


class Died(Exception):
    """The child was killed; the number of the signal."""


@pytest.fixture
def in_child() -> Callable[[Callable[[], object]], object]:
    """Call a function in a child; what it returns, or raises."""

    def call(function: Callable[[], object]) -> object:
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ours)
            _run(function, theirs)
        os.close(theirs)
        with open(ours, "rb") as file:
            answer = file.read()
        status = os.waitpid(pid, 0)[1]
        if os.WIFSIGNALED(status):
            raise Died(os.WTERMSIG(status))
        kind, value = pickle.loads(answer)
        if kind == "raised":
            raise value
        return value

    return call


def _run(function: Callable[[], object], fd: int) -> None:
    try:
        outcome: tuple[str, object] = ("returned", function())
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        outcome = ("raised", error)
    try:
        os.write(fd, pickle.dumps(outcome))
        sys.stdout.flush()
    finally:
        os._exit(0)
