"""The core's pen: writes down what is to be done about a module, in order."""

from __future__ import annotations

import signal

from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.module import Module


class Output:
    """The commands of one turn."""

    def __init__(self) -> None:
        self.commands: list[m.Command] = []
        self.now = m.Instant(0.0, "")

    def begin(self, now: m.Instant) -> None:
        """A new turn, at `now`."""
        self.now, self.commands = now, []

    def add(self, command: m.Command) -> None:
        """Anything else."""
        self.commands.append(command)

    def launch(self, module: Module) -> None:
        """Have its next incarnation started."""
        if module.incarnation:
            module.restarts += 1
        self._begin(module, module.incarnation + 1)
        self.add(m.Launch(module.name, module.incarnation, module.record()))

    def launched(self, module: Module, successor: int) -> None:
        """Its next incarnation has been started by a standing order: take note of it."""
        module.restarts += 1
        self._begin(module, successor)
        self.save(module)

    def _begin(self, module: Module, incarnation: int) -> None:
        module.incarnation, module.standing = incarnation, 0
        module.pid, module.how, module.up_since = 0, m.How.GRACEFULLY.value, None
        module.told_of_waiting = False
        module.deadline = self.now.monotonic + module.program.start_timeout

    def signal(self, module: Module, number: signal.Signals, ordered: str) -> None:
        """Have it sent a signal."""
        self.add(m.SendSignal(module.name, module.incarnation, number, ordered))

    def save(self, module: Module) -> None:
        """Have its record kept; that takes a standing order back."""
        module.standing = 0
        self.add(m.SaveRecord(module.name, module.incarnation, module.record()))

    def stand(self, module: Module) -> None:
        """Give init a standing order for its next failure, with its newest record."""
        module.standing = module.incarnation + 1
        given = m.SaveRecord(
            module.name, module.incarnation, module.record(), standing=module.standing
        )
        for place in range(len(self.commands) - 1, -1, -1):
            command = self.commands[place]
            if isinstance(command, m.SaveRecord) and command.name == module.name:
                self.commands[place] = given
                return
        self.add(given)

    def log(self, severity: str, tag: str, text: str) -> None:
        """Say it in the log."""
        self.add(m.LogLine(severity, tag, text))

    def log_exit(self, module: Module, cause: str) -> None:
        """Say in Junos' words how it ended."""
        kind, _, detail = cause.partition(":")
        who = f"{module.cli_name} (PID {module.pid})"
        if kind == "signal":
            number = getattr(signal, detail, None)
            text = f"{who} terminated by signal number {int(number) if number else detail}."
        elif cause == "exit:0":
            text = f"{who} exited with status=0 Normal Exit"
        elif kind == "exit":
            text = f"{who} exited with status={detail}"
        elif kind == "exec":
            text = f"{module.cli_name}: cannot execute: {detail}"
        else:
            text = f"{module.cli_name}: nobody claimed incarnation {module.incarnation}"
        self.log("notice", "JLAUNCHD_EXITED", text)

    def emit(
        self,
        module: Module,
        event: str,
        *,
        cause: str = "",
        at: float | None = None,
        downtime_ms: float | None = None,
        attempt: int = 0,
        next: str = "",
    ) -> None:
        """Write an event record."""
        self.add(
            m.Emit(
                name=module.name,
                event=event,
                incarnation=module.incarnation,
                cause=cause,
                at=self.now.monotonic if at is None else at,
                downtime_ms=downtime_ms,
                attempt=attempt,
                next=next,
            )
        )
