"""Memory files that engine and pfectl share."""

from __future__ import annotations

import os
from pathlib import Path

from jdaemons.pfe.fakes import Init
from jdaemons.pfe.memory import obtain
from jdaemons.pfe.segment import Segment
from jsupervisor.runtime.fakes import make_order
from jsupervisor.runtime.lean import LeanHost


def segment(fd: int) -> Segment:
    return Segment(fd, writable=True)


def host(run_dir: Path, init: Init) -> LeanHost:
    return LeanHost(make_order(run_dir, "pfe0"), init.connect().connection)


def test_the_first_makes_it_and_the_second_finds_it(run_dir: Path, init: Init) -> None:
    first = obtain(host(run_dir, init), "pfe0/state", segment)
    first.header["log_count"] = 5
    second = obtain(host(run_dir, init), "pfe0/state", segment)

    assert 5 == second.header["log_count"][0]


def test_one_of_another_version_is_replaced(run_dir: Path, init: Init) -> None:
    old = os.memfd_create("old")
    os.ftruncate(old, 100)
    engine = host(run_dir, init)
    engine.put("pfe0/state", old)
    os.close(old)
    found = obtain(engine, "pfe0/state", segment)

    assert 0 == found.header["log_count"][0]


def test_whoever_loses_the_race_takes_the_winners(run_dir: Path, init: Init) -> None:
    winner = host(run_dir, init)
    late = host(run_dir, init)
    get, calls = late.get, []

    def blind(key: str) -> int | None:
        calls.append(key)
        if len(calls) > 1:
            return get(key)
        obtain(winner, key, segment).header["log_count"] = 9
        return None

    late.get = blind  # type: ignore[method-assign]
    found = obtain(late, "pfe0/state", segment)

    assert 9 == found.header["log_count"][0]
