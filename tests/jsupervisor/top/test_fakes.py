"""The stand-in for an instance."""

from __future__ import annotations

from pathlib import Path

from jsupervisor.top.fakes import Stage, play, record, snapshot


def test_what_is_given_stands_on_the_screen(tmp_path: Path) -> None:
    texts: list[str] = []

    async def script(stage: Stage) -> None:
        await stage.give(snapshot(), record("rpd", "exit", cause="signal:SIGSEGV"))
        texts.append(stage.text())

    play(script, tmp_path)

    assert "r1 · vmx · modular" in texts[0]
    assert "signal:SIGSEGV" in texts[0]
