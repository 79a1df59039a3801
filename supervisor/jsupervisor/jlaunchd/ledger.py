"""Numbers every event record, counts it, and knows the newest ones: the journal's memory.

A record has one number for ever, so that a watcher that was cut can go on where it was. jlaunchd
may be killed at any moment: the counters are kept in a file of the run folder now and then, and the
next jlaunchd adds what the journal has since. What init tells once more, because nobody had
acknowledged it, is recognised there and not counted twice.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from jsupervisor.initproto import Json, Message
from jsupervisor.jlaunchd.journal import IN_MEMORY
from jsupervisor.jlaunchd.tally import Tally
from jsupervisor.runtime.rotate import plain

KEEP_EVERY: Final = 64
"""Records between two writings of the counters. They cost a millisecond to read again."""
TAIL: Final = 1024 * 1024
"""Octets of the journal that are read for the records since, at most: they are some hundreds."""
NEWER: Final = 2**63
"""A number above all: nothing in the journal comes after it."""

Key = tuple[str, str, str, str]


class Ledger:
    """All records of this jlaunchd's life, and what is known of those before."""

    def __init__(self, journal: Path, state: Path) -> None:
        """`journal` is only read; `state` is this object's own file, gone with the instance."""
        self.tally = Tally()
        self.newest = 0
        """The number of the newest record."""
        self._journal = journal
        self._state = state
        self._recent: deque[Message] = deque(maxlen=IN_MEMORY)
        self._known: dict[Key, int] = {}
        self._unkept = 0
        self._load()

    def enter(self, record: Message) -> bool:
        """Number and count a record; False when it is known already, and then has its old number."""
        key = _key(record)
        if key in self._known:
            record["seq"] = self._known[key]
            return False
        self.newest += 1
        record["seq"] = self.newest
        self.tally.count(record)
        self._recent.append(record)
        self._unkept += 1
        return True

    def recent(self) -> Sequence[Message]:
        """The newest records of this life, oldest first."""
        return tuple(self._recent)

    def due(self) -> str | None:
        """What `keep` should write now, if anything."""
        if self._unkept < KEEP_EVERY:
            return None
        self._unkept = 0
        return self._text()

    def keep(self, text: str) -> None:
        """Put `text` into the file of the counters, whole or not at all; a failure loses nothing yet."""
        temporary = self._state.with_name(f"{self._state.name}.new")
        try:
            self._state.parent.mkdir(mode=0o700, exist_ok=True)
            temporary.touch(mode=0o600)
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(self._state)
        except OSError:
            pass  # the journal has the records; the next keeping may work

    def _text(self) -> str:
        return json.dumps({"seq": self.newest, "tally": self.tally.to_json()})

    def _load(self) -> None:
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            tally, counted = Tally.of_json(state["tally"]), int(state["seq"])
        except (OSError, ValueError, KeyError, TypeError):
            # The first jlaunchd of an instance, or a file that cannot be read: begin anew from here.
            self.newest = max(map(seq_of, _tail(self._journal, NEWER, KEEP_EVERY)), default=0)
            self.keep(self._text())
            return
        tail = _tail(self._journal, counted, KEEP_EVERY)
        for record in reversed(tail):
            self._known[_key(record)] = seq_of(record)
            if seq_of(record) > counted:
                tally.count(record)
        self.tally = tally
        # The predecessor may have told watchers of records that a full disk did not take.
        self.newest = max([counted, *map(seq_of, tail)]) + IN_MEMORY


def after(records: Sequence[Message], recent: Sequence[Message], seq: int) -> Iterator[Message]:
    """Those of the journal's records and of the newest ones that come after `seq`, none twice.

    The newest may not have reached the journal yet, and the journal may have been read after them.
    """
    first = seq_of(recent[0]) if recent else None
    for record in records:
        if seq_of(record) > seq and (first is None or seq_of(record) < first):
            yield record
    for record in recent:
        if seq_of(record) > seq:
            yield record


def _key(record: Mapping[str, Json]) -> Key:
    name, event, incarnation, time = (
        str(record.get(field)) for field in ("name", "event", "incarnation", "monotonic_ns")
    )
    return name, event, incarnation, time


def seq_of(record: Mapping[str, Json]) -> int:
    """The number of a record; 0 for one of an old journal."""
    seq = record.get("seq")
    return seq if isinstance(seq, int) else 0


def _tail(journal: Path, counted: int, least: int) -> list[Message]:
    """The journal's records after `counted`, and so many at least; newest first."""
    found: list[Message] = []
    for path in (journal, plain(journal)):
        try:
            with path.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
                lines = file.read().splitlines()
        except OSError:
            continue
        for line in reversed(lines):
            try:
                record = json.loads(line)
            except ValueError:
                continue  # the first one is cut, and a crash of the machine may tear the last
            if not isinstance(record, dict):
                continue
            if seq_of(record) <= counted and len(found) >= least:
                return found
            found.append(record)
    return found
