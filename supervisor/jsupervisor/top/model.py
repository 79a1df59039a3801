"""What the screen shows: looks and events go in, rows come out. Pure: no clock, no I/O.

What was known stays known. A look at which jlaunchd, or init, did not answer changes what it could
not see into nothing; it only says that they are away, and since when.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from jsupervisor.jlaunchd.groups import Group
from jsupervisor.observer.events import EventRecord
from jsupervisor.observer.status import InstanceStatus, ModuleStatus
from jsupervisor.top.samples import KEEPERS, Counts, Snapshot, Use
from jsupervisor.top.tree import Branch, arrange

KEPT_EVENTS: Final = 2000
RATE_NS: Final = 800_000_000
"""A rate is taken over at least this long: processor time is counted in ticks of 10 ms."""
_WANTED: Final = frozenset({"starting", "backoff", "failed", "away"})
"""States of what should be up: the gap that counts as downtime goes on."""
AWAY: Final = "away"


class Kind(Enum):
    """What a row is of."""

    KEEPER = "keeper"
    GROUP = "group"
    MODULE = "module"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. None: not known, or there is no such thing."""

    name: str
    kind: Kind
    depth: int = 0
    state: str = ""
    pid: int | None = None
    incarnation: int | None = None
    restarts: int | None = None
    cause: str = ""
    """Of the newest end; of a group its strategy."""
    up_seconds: float | None = None
    """Since its process started."""
    down_seconds: float | None = None
    """From the newest end to readiness, or until now if it is not ready yet."""
    still_down: bool = False
    down_total: float | None = None
    cpu_percent: float | None = None
    resident_bytes: int | None = None
    rpc_rate: float | None = None
    beat_seconds: float | None = None
    """Age of the newest heartbeat."""
    policy: str = ""
    stale: bool = False
    """As it was when somebody last answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The instance as a whole."""

    instance: str
    profile: str
    architecture: str
    policy: str
    up_seconds: float | None
    up: int
    modules: int
    restarts: int
    failures: int
    hangs: int
    downtime_seconds: float
    cpu_percent: float
    resident_bytes: int
    rpc_rate: float
    alarms: int
    supervised: bool
    """Does jlaunchd answer?"""
    reached: bool
    """Does init answer?"""
    away_seconds: float
    trouble: str


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn."""

    header: Header
    rows: tuple[Row, ...]

    def find(self, name: str) -> Row | None:
        """The row of that name."""
        return next((row for row in self.rows if row.name == name), None)


class Rate:
    """Of a counter that begins anew with each process."""

    def __init__(self) -> None:
        self.value = 0.0
        self._who: object = None
        self._count = 0.0
        self._at_ns = 0

    def note(self, who: object, count: float, at_ns: int, since_ns: int) -> float:
        """The rate per second now; the first one is the average since the process started."""
        if who != self._who:
            self._who, self.value = who, 0.0
            self._count, self._at_ns = (0.0, since_ns) if since_ns else (count, at_ns)
        if at_ns - self._at_ns >= RATE_NS:
            self.value = max(0.0, (count - self._count) / (at_ns - self._at_ns) * 1e9)
            self._count, self._at_ns = count, at_ns
        return self.value


@dataclass(slots=True)
class Known:
    """All that is known of one name."""

    status: ModuleStatus | None = None
    use: Use | None = None
    counts: Counts | None = None
    cpu: Rate = field(default_factory=Rate)
    rpc: Rate = field(default_factory=Rate)
    rpc_rate: float | None = None
    cause: str = ""
    gone_ns: int = 0
    down_ns: int = 0
    """When the newest gap ended, and how long it was."""
    down_seconds: float | None = None

    def note(self, record: EventRecord) -> None:
        """An event; those of one name come in order."""
        if record.event == "exit":
            self.gone_ns, self.cause = record.monotonic_ns, record.cause
        elif record.event == "start" and record.incarnation == 1:
            self.gone_ns, self.cause = 0, ""  # another boot: what was before is no downtime
        elif record.event == "ready":
            gap = record.downtime_ms
            if gap is not None:
                self.down_seconds = gap / 1e3
            elif self.gone_ns:
                # Init does not say how long jlaunchd was away.
                self.down_seconds = (record.monotonic_ns - self.gone_ns) / 1e9
            else:
                self.down_seconds = None
            self.gone_ns, self.down_ns = 0, record.monotonic_ns


class Model:
    """One instance on the screen."""

    def __init__(self) -> None:
        self.events: list[EventRecord] = []
        """By time; the oldest go."""
        self.status: InstanceStatus | None = None
        """The newest that init gave."""
        self.added = 0
        """Events taken in so far: more than `events` may hold."""
        self.shuffled = 0
        """How often one came late, and was put between others."""
        self._seen: set[tuple[str, str, int, int]] = set()
        self._known: dict[str, Known] = {}
        self._newest: Snapshot | None = None
        self._groups: tuple[Group, ...] = ()
        self._policy = ""
        self._alarms = 0
        self._away_ns: int | None = None

    def known(self, name: str) -> Known:
        """What is known of a name; nothing of a new one."""
        return self._known.setdefault(name, Known())

    # -- what goes in --------------------------------------------------------------------

    def add(self, record: EventRecord) -> bool:
        """Take in an event; False when it is there already, as after a reconnection."""
        if _key(record) in self._seen:
            return False
        self._seen.add(_key(record))
        if self.events and record.time < self.events[-1].time:
            self.shuffled += 1
            insort(self.events, record, key=lambda each: each.time)
        else:
            self.events.append(record)
        self.added += 1
        if len(self.events) > 2 * KEPT_EVENTS:
            del self.events[:-KEPT_EVENTS]
            self._seen = {_key(each) for each in self.events}
        self.known(record.name).note(record)
        return True

    def look(self, snapshot: Snapshot) -> None:
        """Take in a look at the instance."""
        self._newest = snapshot
        if snapshot.status is not None:
            self._take_status(snapshot.status, snapshot.counts is not None)
            self._groups, self._policy = snapshot.groups, snapshot.policy
            self._take_uses(snapshot)
        if snapshot.counts is not None:
            self._take_counts(snapshot.counts, snapshot.counts_ns)
            self._alarms = snapshot.alarms
            self._away_ns = None
        elif self._away_ns is None:
            self._away_ns = snapshot.at_ns

    def _take_status(self, status: InstanceStatus, supervised: bool) -> None:
        if not supervised:
            # A new jlaunchd tells states before it has found out who runs: they run all the same.
            modules = tuple(self._settled(module) for module in status.modules)
            status = replace(status, modules=modules)
        self.status = status
        for module in (status.jlaunchd, status.launcher, *status.modules):
            self.known(module.name).status = module

    def _settled(self, module: ModuleStatus) -> ModuleStatus:
        before = self.known(module.name).status
        if before is None or module.pid is None or before.pid != module.pid:
            return module
        return replace(module, state=before.state, last_cause=before.last_cause)

    def _take_uses(self, snapshot: Snapshot) -> None:
        for name in {*self._known, *snapshot.uses}:
            known = self.known(name)
            use = known.use = snapshot.uses.get(name)
            if use is not None:
                known.cpu.note(use.pid, use.cpu_seconds, snapshot.at_ns, use.started_ns)

    def _take_counts(self, counts: Mapping[str, Counts], at_ns: int) -> None:
        for name, found in counts.items():
            known = self.known(name)
            known.counts, work = found, found.work
            since = known.use.started_ns if known.use and known.use.pid == found.pid else 0
            who = (found.pid, found.incarnation)
            known.rpc_rate = None if work is None else known.rpc.note(who, work, at_ns, since)

    # -- what comes out ------------------------------------------------------------------

    def view(self, now_ns: int) -> View:
        """Everything as it is known at `now_ns` (CLOCK_MONOTONIC)."""
        modules = self._modules(now_ns)
        keepers = [self._keeper(name, now_ns) for name in KEEPERS]
        rows: list[Row] = list(keepers) if self.status is not None else []
        for branch in arrange(list(modules), self._groups):
            if branch.group is None:
                rows.append(replace(modules[branch.name], depth=branch.depth))
            else:
                rows.append(_group(branch, [modules[name] for name in branch.modules]))
        header = self._header(list(modules.values()), keepers, now_ns)
        return View(header, tuple(rows))

    @property
    def reached(self) -> bool:
        """Did init answer at the newest look?"""
        return self._newest is not None and self._newest.status is not None

    @property
    def supervised(self) -> bool:
        """Did jlaunchd?"""
        return self._newest is not None and self._newest.counts is not None

    @property
    def groups(self) -> Sequence[Group]:
        """Those of the plan."""
        return self._groups

    def _modules(self, now_ns: int) -> dict[str, Row]:
        if self.status is None:
            return {}
        return {each.name: self._module(each, now_ns) for each in self.status.modules}

    def _module(self, status: ModuleStatus, now_ns: int) -> Row:
        known = self.known(status.name)
        row = Row(
            name=status.name,
            kind=Kind.MODULE,
            state=status.state,
            pid=status.pid,
            incarnation=status.incarnation,
            restarts=status.restarts,
            cause=status.last_cause,
            policy=status.policy,
        )
        return self._filled(row, known, now_ns)

    def _keeper(self, name: str, now_ns: int) -> Row:
        known, status = self.known(name), self.known(name).status
        pid = self.status.init_pid if name == "init" and self.status else None
        incarnation = 1
        if status is not None:
            pid, incarnation = status.pid, status.incarnation
        row = Row(
            name=name,
            kind=Kind.KEEPER,
            state=self._keeper_state(name, pid),
            pid=pid,
            incarnation=incarnation,
            restarts=max(0, incarnation - 1),
            cause=known.cause,
        )
        return self._filled(row, known, now_ns)

    def _keeper_state(self, name: str, pid: int | None) -> str:
        if not pid or (name == "init" and not self.reached):
            return AWAY
        # A supervisor that runs and does not answer is as good as none.
        return AWAY if name == "jlaunchd" and self.reached and not self.supervised else "up"

    def _filled(self, row: Row, known: Known, now_ns: int) -> Row:
        """The row with what is used and counted, and how long it was or is down."""
        running = row.pid is not None and known.use is not None and known.use.pid == row.pid
        use = known.use if running else None
        down, still = known.down_seconds, False
        if not self._of_this_life(known.down_ns):
            down = None
        if row.state in _WANTED and known.gone_ns and self._of_this_life(known.gone_ns):
            down, still = max(0.0, (now_ns - known.gone_ns) / 1e9), True
        counts = known.counts
        beat = counts.heartbeat_ns if counts and row.state == "up" else 0
        return replace(
            row,
            up_seconds=(now_ns - use.started_ns) / 1e9 if use else None,
            down_seconds=down,
            still_down=still,
            down_total=counts.downtime_seconds if counts and counts.downtimes else None,
            cpu_percent=100 * known.cpu.value if use else None,
            resident_bytes=use.resident_bytes if use else None,
            rpc_rate=known.rpc_rate if use else None,
            beat_seconds=max(0.0, (now_ns - beat) / 1e9) if beat else None,
            stale=not self.reached,
        )

    def _of_this_life(self, at_ns: int) -> bool:
        """Is it of this boot of the instance? The journal tells of earlier ones too."""
        init = self.known("init").use
        return bool(at_ns) and (init is None or at_ns >= init.started_ns)

    def _header(self, modules: Sequence[Row], keepers: Sequence[Row], now_ns: int) -> Header:
        status, newest = self.status, self._newest
        # In the monolith one process is all modules.
        single = {row.pid: row for row in (*keepers, *modules) if row.pid is not None}.values()
        counts = [k.counts for k in self._known.values() if k.counts is not None]
        return Header(
            instance=status.instance if status else "",
            profile=status.profile if status else "",
            architecture=status.architecture if status else "",
            policy=_policies(modules) or self._policy,
            up_seconds=keepers[0].up_seconds,
            up=sum(row.state == "up" for row in modules),
            modules=len(modules),
            restarts=sum(row.restarts or 0 for row in (*keepers, *modules)),
            failures=sum(each.failures for each in counts),
            hangs=sum(each.hangs for each in counts),
            downtime_seconds=sum(row.down_total or 0.0 for row in modules),
            cpu_percent=sum(row.cpu_percent or 0.0 for row in single),
            resident_bytes=sum(row.resident_bytes or 0 for row in single),
            rpc_rate=sum(row.rpc_rate or 0.0 for row in single),
            alarms=self._alarms,
            supervised=self.supervised,
            reached=self.reached,
            away_seconds=(now_ns - self._away_ns) / 1e9 if self._away_ns is not None else 0.0,
            trouble=newest.trouble if newest else "",
        )


def _key(record: EventRecord) -> tuple[str, str, int, int]:
    """jlaunchd, its journal and init tell of the same event: this is how it is known again."""
    return record.name, record.event, record.incarnation, record.monotonic_ns


def _policies(modules: Iterable[Row]) -> str:
    """The commonest policy, and how many modules have another."""
    found = Counter(row.policy for row in modules if row.policy).most_common()
    if not found:
        return ""
    others = sum(number for _, number in found[1:])
    return found[0][0] + (f" ({others} other)" if others else "")


def _group(branch: Branch, members: Sequence[Row]) -> Row:
    assert branch.group is not None
    up = sum(row.state == "up" for row in members)
    return Row(
        name=branch.name,
        kind=Kind.GROUP,
        depth=branch.depth,
        state=f"{up}/{len(members)} up",
        restarts=sum(row.restarts or 0 for row in members),
        cause=branch.group.strategy,
        stale=any(row.stale for row in members),
    )


def matching(records: Iterable[EventRecord], words: str) -> list[EventRecord]:
    """The events that have every one of the words in name, event, cause or what followed.

    A word that begins with "!" must not be there.
    """
    wanted = words.casefold().split()
    return [record for record in records if _matches(record, wanted)]


def _matches(record: EventRecord, words: Sequence[str]) -> bool:
    text = f"{record.name} {record.event} {record.cause} {record.next}".casefold()
    return all(
        word[1:] not in text if word.startswith("!") and len(word) > 1 else word in text
        for word in words
    )
