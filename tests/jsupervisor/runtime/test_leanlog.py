"""The engine's log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jsupervisor.runtime.fakes import make_order
from jsupervisor.runtime.leanlog import RING, LeanLog
from jsupervisor.runtime.record import Record, Severity, Tag

ORDER = make_order(Path("/run"), "pfe0")


@pytest.mark.parametrize("severity", Severity)
def test_a_record_is_a_line_on_stderr(
    severity: Severity, capsys: pytest.CaptureFixture[str]
) -> None:
    getattr(LeanLog(ORDER), severity.name.lower())(Tag.MODULE_START, "begins", rings=2)
    read = json.loads(capsys.readouterr().err)

    assert ("pfe0", severity.name.lower(), 1) == (read["module"], read["severity"], read["number"])
    assert {"rings": "2"} == read["fields"]


def test_the_ring_keeps_the_newest_whatever_the_sink() -> None:
    log = LeanLog(ORDER)
    sunk: list[Record] = []
    log.sink = sunk.append
    for number in range(RING + 1):
        log.info(Tag.MODULE_READY, str(number))

    assert RING + 1 == len(sunk)
    assert "1" == log.ring[0].text
