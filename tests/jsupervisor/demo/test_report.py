"""The demo's result in JSON and as a table."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from jsupervisor.demo.report import caption, headline, line, remarks, table, to_json
from jsupervisor.demo.rows import Row, Verdict
from jsupervisor.demo.runner import Baseline, DemoResult

ROW = Row(
    module="rpd",
    fault="stop",
    detected_ms=801.04,
    ready_ms=None,
    offered=4000,
    lost=3,
    socket_dropped=0,
    others_restarted=1,
    rpc_sessions_dropped=0,
    outage_ms_by_loss=0.3,
    outage_ms_by_gap=1.2,
    problems=("no ready successor within 15 s",),
    disturbances=("restarted: dcd",),
)
RESULT = DemoResult("modular", "junos", 10000.0, Baseline(4000, 0, 1.5), (ROW,), 12, 0, 30.0)


def test_the_json_has_rows_and_a_verdict() -> None:
    printed = to_json((ROW,))

    assert {"rows": [ROW.to_json()], "verdict": "disturbed"} == printed


def test_the_table_shows_every_figure() -> None:
    out = StringIO()
    Console(file=out, width=200).print(table((ROW,)))
    cells = out.getvalue().split()

    assert all(text in cells for text in ("rpd", "stop", "801.0", "-", "4000", "3", "0.3", "1.2"))


def test_everything_that_is_wrong_is_said() -> None:
    assert [
        "rpd stop: restarted: dcd",
        "rpd stop: no ready successor within 15 s",
    ] == remarks((ROW,))
    assert [] == remarks((replace(ROW, problems=(), disturbances=()),))


def test_a_row_is_one_line_while_the_demo_runs() -> None:
    assert "rpd      stop detected  801.0 ms, ready      - ms, lost 3 of 4000: failed" == line(ROW)
    assert line(replace(ROW, ready_ms=1.0, problems=())).endswith(": disturbed")


def test_the_caption_says_what_a_reader_needs() -> None:
    text = " ".join(caption(RESULT))

    assert "modular, restart policy junos, 30.0 s" in text
    assert "10000 packets/s" in text
    assert "4000 offered, 3 lost" in text
    assert "12 delayed by back-pressure" in text
    assert "the longest gap was 1.5 ms" in text


def test_the_last_line_says_whether_the_verdict_was_expected() -> None:
    assert "isolated, as expected" == headline(Verdict.ISOLATED, Verdict.ISOLATED)
    assert "disturbed, expected isolated" == headline(Verdict.DISTURBED, Verdict.ISOLATED)
