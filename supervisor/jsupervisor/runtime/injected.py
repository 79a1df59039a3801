"""Faults that a process does to itself when init says so; those by signal need no help from here."""

from __future__ import annotations

import os
import threading
from collections import deque
from itertools import repeat


class InjectedException(Exception):
    """The fault `exception`: nobody handles it."""


def carry_out(kind: str) -> None:
    """Do it; a kind that is not known does nothing. Raises InjectedException for `exception`.

    `exit:N` ends the process without clean-up; `spin` keeps this thread busy in Python, so that other
    threads still get their turn; `spin-c` never lets go of the interpreter; `deadlock` waits for a lock
    that this thread holds.
    """
    word, _, argument = kind.partition(":")
    match word:
        case "exit":
            os._exit(int(argument) & 0xFF if argument.isdecimal() else 1)
        case "exception":
            raise InjectedException("an exception was injected")
        case "spin":
            while True:
                pass
        case "spin-c":
            deque(repeat(None), maxlen=0)
        case "deadlock":
            lock = threading.Lock()
            lock.acquire()
            lock.acquire()
        case _:
            pass
