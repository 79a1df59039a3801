"""A script for the supervisor's core: events in, what it commands as short lines."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping

import pytest

from jsupervisor.initproto import Json
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.core import Supervisor
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.profile import parse_plan


class Play:
    """One life of the core. Keeps the records, as init would."""

    def __init__(self, plan: Plan, records: Mapping[str, Mapping[str, Json]] | None = None) -> None:
        self.core = Supervisor(plan)
        self.now = 100.0
        self.notice = 0
        self.records = dict(records or {})
        self.log: list[str] = []

    def __getitem__(self, name: str) -> Module:
        return self.core.modules[name]

    def __call__(self, event: m.Event) -> list[str]:
        """What the core commands upon the event; log lines and records go elsewhere."""
        instant = m.Instant(self.now, f"utc {self.now:g}")
        lines = [self._line(command) for command in self.core.handle(event, instant)]
        return [line for line in lines if line]

    def claim(self, name: str) -> list[str]:
        """The newest incarnation got its process; its pid is a hundred times the incarnation."""
        return self(m.Claimed(name, self[name].incarnation, self[name].incarnation * 100))

    def ready(self, name: str) -> list[str]:
        """It says ready."""
        return self(m.Reported(name, self[name].incarnation, "ready", self.now))

    def up(self, *names: str) -> None:
        """All of these, in this order."""
        for name in names:
            self.claim(name)
            self.ready(name)

    def exit(self, name: str, cause: str = "signal:SIGKILL") -> list[str]:
        """It dies."""
        self.notice += 1
        incarnation = self[name].incarnation
        return self(
            m.Exited(
                name=name,
                incarnation=incarnation,
                pid=incarnation * 100,
                cause=cause,
                at=self.now,
                notice=self.notice,
            )
        )

    def expire(self, name: str) -> list[str]:
        """Nobody claimed it."""
        self.notice += 1
        return self(m.Expired(name, self[name].incarnation, self.notice))

    def wait(self, seconds: float) -> list[str]:
        """Time passes; every deadline on the way is kept."""
        lines: list[str] = []
        end = self.now + seconds
        while (deadline := self.core.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            lines += self(m.DeadlineReached())
        self.now = end
        return lines

    def adopted(
        self, name: str, phase: str, *, ready: bool = False, aside: bool = False
    ) -> m.Adopt:
        """What init tells of a module whose newest incarnation is the first."""
        return m.Adopt(
            name=name,
            incarnation=1,
            phase=phase,
            pid=100 if phase == "running" else 0,
            ready=ready,
            record=None if aside else self.records.get(name),
            aside=aside,
            ready_at=self.now if ready else None,
        )

    def _line(self, command: m.Command) -> str:
        match command:
            case m.Launch():
                self.records[command.name] = command.record
                return f"launch {command.name} {command.incarnation}"
            case m.SendSignal():
                word = signal.Signals(command.signal).name
                return f"{word} {command.name} {command.incarnation} {command.ordered}".rstrip()
            case m.SaveRecord():
                self.records[command.name] = command.record
                return ""
            case m.Emit():
                words = [command.event, command.name, str(command.incarnation), command.cause]
                words += ["->", command.next] if command.next else []
                words += [f"after {command.downtime_ms:.0f} ms"] if command.downtime_ms else []
                return " ".join(word for word in words if word)
            case m.LogLine():
                self.log.append(f"{command.severity} {command.tag}: {command.text}")
                return ""
            case m.RaiseAlarm():
                return f"alarm {command.name}: {command.text}"
            case m.ClearAlarm():
                return f"clear {command.name}"
            case m.Forget():
                return f"forget {command.name}"
            case m.FailOver():
                return f"failover {command.name} {command.kind}"
            case m.AllStopped():
                return "all stopped"


PlayOf = Callable[..., Play]

CHAIN = {"a": {}, "b": {"requires": ["a"]}, "c": {"requires": ["b"]}}


def plan_of(programs: Mapping[str, Mapping[str, Json]]) -> Plan:
    """A plan of programs that have these keys besides an entry."""
    import json

    lines = ['[profile]\nname = "p"']
    for name, keys in programs.items():
        lines += [f'[program.{name}]\nentry = "m:C"']
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return parse_plan("\n".join(lines), "p.toml")


@pytest.fixture
def play() -> PlayOf:
    """Makes a script: `play(a={}, b={"requires": ["a"]})`, or the chain a, b, c; `records=` adopts."""

    def make(
        records: Mapping[str, Mapping[str, Json]] | None = None, **programs: Mapping[str, Json]
    ) -> Play:
        return Play(plan_of(programs or CHAIN), records)

    return make
