"""Faults by message that can be tried without ending this process."""

from __future__ import annotations

import os
import threading

import pytest

from jsupervisor.runtime.injected import InjectedException, carry_out


def test_exception_is_raised() -> None:
    with pytest.raises(InjectedException):
        carry_out("exception")


@pytest.mark.parametrize(("kind", "code"), [("exit:17", 17), ("exit:256", 0), ("exit:x", 1)])
def test_exit_ends_the_process_with_its_code(
    monkeypatch: pytest.MonkeyPatch, kind: str, code: int
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    carry_out(kind)

    assert [code] == codes


def test_a_deadlock_never_ends_and_lets_other_threads_go_on() -> None:
    victim = threading.Thread(target=carry_out, args=("deadlock",), daemon=True)
    victim.start()
    victim.join(0.01)

    assert victim.is_alive()


def test_an_unknown_kind_does_nothing() -> None:
    carry_out("earthquake")
