"""What goes into the core of eventd and what comes out of it: frozen, comparable, loggable."""

from __future__ import annotations

from dataclasses import dataclass

from jsupervisor.runtime.record import Record, Severity

# -- in -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordCame:
    """A module, or eventd itself, has something to say."""

    record: Record


@dataclass(frozen=True, slots=True)
class HostNamed:
    """The configuration gives the router a name, or none any more."""

    name: str | None


@dataclass(frozen=True, slots=True)
class ReaderCame:
    """Somebody wants to hear records from now on; of one module, or of all when `module` is empty."""

    reader: int
    module: str


@dataclass(frozen=True, slots=True)
class ReaderLeft:
    """A reader does not listen any more."""

    reader: int


@dataclass(frozen=True, slots=True)
class Written:
    """The batch of a file is in the file."""

    file: str


@dataclass(frozen=True, slots=True)
class WriteFailed:
    """Nothing of the batch of a file is in the file."""

    file: str
    reason: str


Event = RecordCame | HostNamed | ReaderCame | ReaderLeft | Written | WriteFailed


# -- out ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WakeWriters:
    """There are lines to write."""


@dataclass(frozen=True, slots=True)
class WakeReader:
    """A reader has records to take."""

    reader: int


@dataclass(frozen=True, slots=True)
class Say:
    """eventd itself has something to say; its record comes back as RecordCame."""

    severity: Severity
    tag: str
    text: str


Command = WakeWriters | WakeReader | Say
