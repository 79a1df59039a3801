"""The loop of init: children, exits, connections, deadlines; never waits on a peer.

signals ──┐                       ┌── jlaunchd     (1)  orders, records, exits until acknowledged
lifeline ─┤   one selector loop   ├── launcher     (2)  fork orders: lean, full
listener ─┘                       ├── modules      (n)  claim, reports, descriptors, faults
                                  └── operators    (n)  status, watch, inject, stop
"""

from __future__ import annotations

import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from jsupervisor import linux, phases
from jsupervisor.containment import cgroups
from jsupervisor.init import requests, sparing
from jsupervisor.init.aborts import Aborts
from jsupervisor.init.children import end_all_children, exit_cause, spawn, used
from jsupervisor.init.foreign import Foreigners
from jsupervisor.init.hush import Hush
from jsupervisor.init.keeper import Keeper, Pinger
from jsupervisor.init.peers import Peer
from jsupervisor.init.spares import Spares
from jsupervisor.init.sparing import SpareEffects
from jsupervisor.init.standby import Standby
from jsupervisor.init.state import Boot, Stopping
from jsupervisor.init.store import Store
from jsupervisor.init.table import Process, Refused, Table, describe
from jsupervisor.init.tree import CGROUP, Trees
from jsupervisor.initproto import Json, Message, MessageError

STOP_BY_JLAUNCHD_NS: Final = 30_000_000_000
STOP_BY_US_NS: Final = 5_000_000_000
MAX_NOTICES: Final = 4096
MAX_PEERS: Final = 512
MAX_OPEN: Final = 16384
CALM_SECONDS: Final = 0.01
"""When nothing has happened for so long, there is time to prepare for what will."""


class Init:
    """The whole of init's state."""

    def __init__(self, boot: Boot) -> None:
        self.boot = boot
        self.table = Table()
        self.store = Store()
        self.trees = Trees(boot.run_dir, groups=cgroups.find() if boot.cgroups else cgroups.NONE)
        self.foreigners = Foreigners(self)
        self.containment: Message = {}
        """What the launcher says of the layers that it lays."""
        self.keepers = {"launcher": Keeper("launcher"), "jlaunchd": Keeper("jlaunchd")}
        self.standby = Standby(boot.jlaunchd, self._spawn_standby)
        if not boot.launcher:
            self.keepers["launcher"].start_at_ns = None  # no module is ours to fork
        self.peers: dict[int, Peer] = {}
        self.notices: deque[Message] = deque(maxlen=MAX_NOTICES)
        self.published: dict[str, Message] = {}
        self.aside: dict[str, int] = {}
        """How often in a row jlaunchd died while it adopted a module's record."""
        self.adopting = ""
        self.spares = Spares(SpareEffects(self))
        self.hush = Hush()
        self.stopping = Stopping()
        self.aborts = Aborts()
        self.started_ns = time.monotonic_ns()
        self._notice_id = 0
        self._selector = selectors.DefaultSelector()
        self._finished = False

    # -- life ---------------------------------------------------------------------------------

    def run(self) -> int:
        """Run until an orderly stop is complete; the exit code."""
        linux.become_subreaper()
        _allow_many_descriptors()
        wakeup, wakeup_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wakeup_w, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        listener = self._listen()
        self._selector.register(wakeup, selectors.EVENT_READ, lambda: self._signals(wakeup))
        self._selector.register(listener, selectors.EVENT_READ, lambda: self._accept(listener))
        if (line := self.boot.lifeline_fd) >= 0:
            self._selector.register(line, selectors.EVENT_READ, lambda: self._lifeline(line))
        while not self._finished:
            self._turn()
        return 0

    def _turn(self) -> None:
        now = time.monotonic_ns()
        deadline = self._run_deadlines(now)
        patience = None if deadline is None else max(0.0, (deadline - now) / 1e9)
        if self.foreigners.wanting and (patience is None or patience > CALM_SECONDS):
            patience = CALM_SECONDS
        ready = self._selector.select(patience)
        if not ready and self.foreigners.wanting and not self.stopping.asked:
            self.foreigners.provide()
        for key, events in ready:
            handler: Callable[[], None] | Peer = key.data
            if isinstance(handler, Peer):
                self._serve(handler, events)
            else:
                handler()
        self.foreigners.carry_out()
        if self.trees.settled(self.table.processes.values()):
            self._sweep()
        for peer in [peer for peer in self.peers.values() if peer.dead]:
            self._drop(peer)

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        path = os.path.join(self.boot.run_dir, "init.sock")
        temporary = f"{path}.new"
        listener.bind(temporary)
        listener.listen(128)
        listener.setblocking(False)
        os.rename(temporary, path)  # whoever sees the path can connect
        return listener

    def _signals(self, wakeup: int) -> None:
        numbers = os.read(wakeup, 4096)
        self._reap()
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            self.stop()

    def _lifeline(self, fd: int) -> None:
        if not os.read(fd, 64):
            self._selector.unregister(fd)
            self.stop()

    # -- children and exits -------------------------------------------------------------------

    def _run_deadlines(self, now: int) -> int | None:
        """Do what is due; when something is due next, if ever."""
        for process in self.table.expire(now):
            self.notice({"op": "expired", "name": process.name, "incarnation": process.incarnation})
        deadlines = [process.claim_deadline_ns for process in self.table.processes.values()]
        for keeper in self.keepers.values():
            if keeper.start_at_ns is not None and not self.stopping.asked:
                if keeper.start_at_ns <= now:
                    self._start(keeper)
                deadlines.append(keeper.start_at_ns)
            elif keeper.silent(now):
                keeper.started_ns = now  # its end may take a moment: once is enough
                self.event(keeper.name, "hang", cause="no hello", next="kill")
                os.kill(keeper.pid, signal.SIGKILL)
            deadlines.append(keeper.hello_deadline_ns)
        if self.standby.due_ns is not None and self.standby.due_ns <= now:
            self.standby.provide()
        deadlines.append(self.standby.due_ns)
        for peer in list(self.peers.values()):
            if peer.pinger is not None:
                deadlines.append(self._ping(peer, peer.pinger, now))
        deadlines.extend(self.aborts.run(now))
        self.foreigners.nursery.look(now)
        deadlines.append(self.foreigners.nursery.deadline_ns)
        self.spares.look(now, self.table.processes)
        self.hush.look(now)
        deadlines.extend((self.spares.deadline_ns, self.hush.deadline_ns))
        if self.stopping.asked:
            self._advance_stop(now)
            deadlines.append(max(now, self.stopping.deadline_ns))
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _ping(self, peer: Peer, pinger: Pinger, now: int) -> int:
        waited = peer.waited(now) if pinger.silent and now >= pinger.next_ping_ns else 0
        send, hangs = pinger.due(now, waited)
        if hangs:
            peer.pinger = None
            self._hangs(peer.role, peer.pidfd)
        elif send:
            peer.send({"op": "ping", "number": pinger.sent})
        return pinger.next_ping_ns

    def _hangs(self, name: str, pidfd: int) -> None:
        self.event(name, "hang", cause="hang", next="kill")
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _start(self, keeper: Keeper) -> None:
        argv = self.boot.jlaunchd if keeper.name == "jlaunchd" else self.boot.launcher
        numbered = [*argv, str(keeper.incarnation + 1)]
        waiting = self.standby.promote(keeper.incarnation + 1) if keeper.name == "jlaunchd" else 0
        try:
            pid = waiting or spawn(numbered, self._stderr(keeper.name))
        except OSError as error:  # no memory or no process left: later, perhaps
            print(f"cannot start {keeper.name}: {error}", file=sys.stderr, flush=True)
            keeper.exited(time.monotonic_ns())
            return
        stat = linux.process_stat(pid)
        keeper.started(pid, stat.start_time if stat else 0, time.monotonic_ns())
        self.event(keeper.name, "start", attempt=keeper.incarnation)

    def _stderr(self, name: str) -> str:
        return os.path.join(self.boot.home, "log", f"{name}.stderr")

    def _spawn_standby(self, argv: Sequence[str], stdin: int) -> int:
        return spawn(argv, self._stderr("jlaunchd"), stdin)

    def _reap(self) -> None:
        """Take the exits of all who are dead, and end what they left behind."""
        while (ended := self._next_exit()) is not None:
            pid, status, usage = ended
            now = time.monotonic_ns()
            self.aborts.reaped(pid)
            process = self.table.exited(pid)
            if process is not None:
                self._module_exited(process, status, usage, now)
            self.foreigners.lost(pid)
            self.standby.lost(pid, now)
            self.spares.exited(pid, self.table.processes)
            for keeper in self.keepers.values():
                if keeper.pid == pid:
                    self._keeper_exited(keeper, status, now)
        self._sweep()

    def _sweep(self) -> None:
        """End what dead modules left behind."""
        known = {process.pid for process in self.table.alive()}
        known.update(keeper.pid for keeper in self.keepers.values())
        known.update(self.foreigners.nursery.pids, self.spares.pids, [self.standby.pid])
        self.trees.sweep(known, self.table.processes.values())

    def _next_exit(self) -> tuple[int, int, resource.struct_rusage] | None:
        try:
            ended = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        return ended if ended[0] else None

    def _module_exited(
        self, process: Process, status: int, usage: resource.struct_rusage, now: int
    ) -> None:
        error = self.foreigners.ended(process)
        successor = None if self.stopping.asked else self.table.succeed(process, now)
        if successor is not None and (jlaunchd := self.peer_of("jlaunchd")):
            self.hush.keep(jlaunchd, successor, now)
        # The notice first: what follows from it comes back in a later turn, when the tree is gone.
        self.notice(
            {
                "op": "exit",
                "name": process.name,
                "incarnation": process.incarnation,
                "pid": process.pid,
                "cause": f"exec:{error}" if error else exit_cause(status),
                "monotonic_ns": now,
                "ordered": process.ordered,
                "usage": used(usage),
                "dumped": os.WCOREDUMP(status),
                "successor": 0 if successor is None else successor.incarnation,
            }
        )
        self.trees.ended(process)
        if successor is not None:
            decided = {"noticed": now, "decided": now}
            successor.order = {**successor.order, phases.KEY: decided}
            phases.stamp(successor.order, "reserved")
            self.start(successor)
            if self.trees.kind == CGROUP:  # else what it left behind is looked for first
                self.foreigners.carry_out()

    def _keeper_exited(self, keeper: Keeper, status: int, now: int) -> None:
        cause = exit_cause(status)
        keeper.exited(now)
        if keeper.name == "jlaunchd":
            self.foreigners.unheard()
        if keeper.name == "jlaunchd" and self.adopting:
            self.aside[self.adopting] = self.aside.get(self.adopting, 0) + 1
            self.adopting = ""
        due = keeper.start_at_ns or now
        self.event(
            keeper.name, "exit", cause=cause, next=f"restart in {(due - now) // 1_000_000} ms"
        )

    def start(self, process: Process) -> None:
        """Have what has just been reserved started by whoever does that."""
        if process.stage == "foreign":
            self.foreigners.start(process)
        elif not self.spares.take(process, time.monotonic_ns()):
            sparing.fork(self, process.stage, process.order)

    def claimed(self, process: Process) -> None:
        """A reservation has become a process."""
        if jlaunchd := self.peer_of("jlaunchd"):
            jlaunchd.send({"op": "claimed", "process": describe(process)})

    def reported(self, process: Process, stage: str) -> None:
        """A process has reached a stage of its start."""
        if jlaunchd := self.peer_of("jlaunchd"):
            jlaunchd.send({"op": "report", "stage": stage, "process": describe(process)})

    def watch(self, fd: int, handler: Callable[[], None]) -> None:
        """Call `handler` whenever `fd` can be read."""
        self._selector.register(fd, selectors.EVENT_READ, handler)

    def unwatch(self, fd: int) -> None:
        """No more; nothing happens when it was not watched."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    # -- connections --------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        peer = Peer(sock, self._backlog)
        if peer.uid not in (0, os.getuid()) or len(self.peers) >= MAX_PEERS:
            peer.close()
            return
        self.peers[peer.connection.fileno()] = peer
        self._selector.register(peer.connection, selectors.EVENT_READ, peer)

    def _backlog(self, peer: Peer) -> None:
        if peer.connection.fileno() in self.peers:
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            self._selector.modify(peer.connection, both, peer)

    def _serve(self, peer: Peer, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            peer.flush()
            if not peer.backlog:
                self._selector.modify(peer.connection, selectors.EVENT_READ, peer)
        if not events & selectors.EVENT_READ or peer.dead:
            return
        try:
            received = peer.connection.receive()
        except BlockingIOError:
            return
        except MessageError as error:
            peer.send({"op": "refused", "why": str(error)})
            return
        except OSError:
            received = None
        if received is None:
            peer.dead = True
            return
        if peer.pinger is not None:
            peer.pinger.heard()
        self._answer(peer, *received)

    def _answer(self, peer: Peer, message: Message, fds: list[int]) -> None:
        fd = fds.pop(0) if fds else -1
        for extra in fds:
            os.close(extra)
        try:
            requests.handle(self, peer, message, fd)
        except Refused as refusal:
            peer.send({"op": "refused", "why": str(refusal), "of": message.get("op")})
        except (KeyError, TypeError, ValueError, OverflowError, OSError, MessageError) as error:
            peer.send({"op": "refused", "why": f"cannot read {message.get('op')!r}: {error!r}"})

    def _drop(self, peer: Peer) -> None:
        self._selector.unregister(peer.connection)
        del self.peers[peer.connection.fileno()]
        peer.close()

    def peer_of(self, role: str) -> Peer | None:
        """The connection of jlaunchd or a launcher stage."""
        for peer in self.peers.values():
            if peer.role == role and not peer.dead:
                return peer
        return None

    def peer_of_pid(self, pid: int) -> Peer | None:
        """The connection that a running module keeps."""
        for peer in self.peers.values():
            if peer.pid == pid and peer.role == "module" and not peer.dead:
                return peer
        return None

    # -- what others are told -----------------------------------------------------------------

    def notice(self, message: Message) -> None:
        """Tell jlaunchd; kept until it acknowledges."""
        self._notice_id += 1
        message = {**message, "id": self._notice_id}
        self.notices.append(message)
        if jlaunchd := self.peer_of("jlaunchd"):
            jlaunchd.send(message)

    def acknowledge(self, number: int) -> None:
        """jlaunchd has written down all notices up to `number`."""
        while self.notices and int(str(self.notices[0]["id"])) <= number:
            self.notices.popleft()

    def event(
        self, name: str, event: str, *, cause: str = "", attempt: int = 0, next: str = ""
    ) -> None:
        """Record an event that init saw itself, for watchers and for jlaunchd's journal."""
        known = self.keepers.get(name) or self.table.processes.get(name)
        record: Message = {
            "name": name,
            "event": event,
            "incarnation": known.incarnation if known else 0,
            "cause": cause,
            "monotonic_ns": time.monotonic_ns(),
            "time": timestamp(time.time_ns()),
            "downtime_ms": None,
            "attempt": attempt,
            "next": next,
        }
        self.notice({"op": "event", "record": record})
        self.broadcast(record)

    def broadcast(self, record: Json) -> None:
        """Push an event record to every watcher."""
        for peer in self.peers.values():
            if peer.watching:
                peer.send({"op": "event", "record": record})

    def status(self) -> Message:
        """What `jsupervisor status` prints, less what /proc knows."""
        jlaunchd, launcher = self.keepers["jlaunchd"], self.keepers["launcher"]
        return {
            "instance": self.boot.instance,
            "profile": self.boot.profile,
            "architecture": self.boot.architecture,
            "run_dir": self.boot.run_dir,
            "tree_kill": self.trees.kind,
            "containment": self.containment,
            "init": {"pid": os.getpid()},
            "jlaunchd": {"pid": jlaunchd.pid or None, "incarnation": jlaunchd.incarnation},
            "launcher": {"pid": launcher.pid or None, "incarnation": launcher.incarnation},
            "modules": [self._module_status(module) for module in self.published.values()],
            "spares": self.spares.describe(),
            "processes": [
                {**describe(process), phases.KEY: process.phases}
                for process in self.table.processes.values()
            ],
        }

    def _module_status(self, module: Message) -> Message:
        process = self.table.processes.get(str(module.get("name")))
        known = describe(process) if process is not None else {}
        merged: Message = {**module, "pid": known.get("pid")}
        if process is not None:
            merged["tree_kill"] = self.trees.way(process)
        if merged["pid"] is None and not self.keepers["jlaunchd"].pid and process is not None:
            merged["state"] = "down"  # nobody else is there to notice
        return merged

    # -- the end ------------------------------------------------------------------------------

    def stop(self) -> None:
        """Begin an orderly stop: by jlaunchd if it can, else by our own signals."""
        if self.stopping.asked:
            return
        self.stopping.asked = True
        self.table.standing.clear()
        self.spares.dismiss_all()
        jlaunchd = self.peer_of("jlaunchd")
        if jlaunchd is not None:
            self.stopping.deadline_ns = time.monotonic_ns() + STOP_BY_JLAUNCHD_NS
            jlaunchd.send({"op": "stop"})
        else:
            self.stop_modules()

    def stop_modules(self) -> None:
        """Ask every module still there to end."""
        self.stopping.by_us = True
        self.stopping.deadline_ns = time.monotonic_ns() + STOP_BY_US_NS
        for process in self.table.alive():
            os.kill(process.pid, signal.SIGTERM)

    def _advance_stop(self, now: int) -> None:
        if not self.stopping.by_us:
            if now >= self.stopping.deadline_ns or not self.keepers["jlaunchd"].pid:
                self.stop_modules()
            return
        if self.table.alive() and now < self.stopping.deadline_ns:
            return
        end_all_children()
        self._finished = True


def _allow_many_descriptors() -> None:
    """The store alone may hold more than the 1024 that are usual."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN if hard == resource.RLIM_INFINITY else min(MAX_OPEN, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def timestamp(time_ns: int) -> str:
    """RFC 3339 in UTC with microseconds."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest // 1000:06}Z"
