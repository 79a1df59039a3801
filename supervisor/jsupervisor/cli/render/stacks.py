"""The stacks that faulthandler wrote, made readable: the thread that was hit first, equal ones once. Pure.

What is not recognised stays as it is: a traceback of an exception, a line of the interpreter's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

_THREAD: Final = re.compile(
    r"(Current thread|Thread|Stack)(?: 0x0*([0-9a-f]+))? .*most recent call first"
)
_FRAME: Final = re.compile(r'  File "(.+)", line (\d+) in (.+)')
_ROOTS: Final = re.compile(r".*/(?:site-packages|lib/python3\.\d+|supervisor|daemons|protos)/")
_PLUMBING: Final = re.compile(r"threading\.py:\d+  (?:_bootstrap|_bootstrap_inner|run)$|<frozen ")


def stacks(trace: str) -> list[str]:
    """The lines of a trace for the eye."""
    head: list[str] = []
    hit: list[str] = []
    others: dict[tuple[str, ...], list[str]] = {}
    tail: list[str] = []
    for block in _blocks(trace):
        match = _THREAD.match(block[0])
        if match is None:
            first = block[0].startswith("Fatal ") or not (others or hit)
            (head if first else tail).extend([*block, ""])
        elif match[1] == "Thread":
            others.setdefault(tuple(_frames(block[1:])), []).append(match[2])
        else:  # "Stack" is the main thread's own, written before anything else could go wrong
            name = f"Thread {match[2]}" if match[2] else "The main thread"
            hit = [f"{name}, the one that was hit:", *_frames(block[1:]), ""]
    lines = [*head, *hit]
    for frames, threads in others.items():
        lines += [f"{_called(threads)}:", *frames, ""]
    lines += tail
    return lines[:-1]


def _blocks(trace: str) -> Iterable[Sequence[str]]:
    block: list[str] = []
    for line in trace.splitlines():
        if block and (not line or _THREAD.match(line)):
            yield block
            block = []
        if line:
            block.append(line)
    if block:
        yield block


def _frames(lines: Sequence[str]) -> list[str]:
    frames = []
    for line in lines:
        match = _FRAME.match(line)
        if match is None:
            frames.append(line)
            continue
        path = _ROOTS.sub("", match[1])
        frame = f"{path}:{match[2]}  {match[3]}"
        if not _PLUMBING.match(frame):
            frames.append(f"  {frame}")
    return frames


def _called(threads: Sequence[str]) -> str:
    if len(threads) == 1:
        return f"Thread {threads[0]}"
    return f"{len(threads)} threads alike, e.g. {threads[0]}"
