"""What a peer may ask of init, and the answer. Who may send it is checked before what it says."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from jsupervisor import linux
from jsupervisor.init import sparing
from jsupervisor.init.keeper import PING_NS, Pinger
from jsupervisor.init.peers import Peer
from jsupervisor.init.table import (
    FAULT,
    MAX_RECORD,
    Refused,
    Standing,
    describe,
    describe_before,
)
from jsupervisor.initproto import Message, encode
from jsupervisor.phases import KEY, stamp

if TYPE_CHECKING:
    from jsupervisor.init.server import Init

ASIDE_AFTER: Final = 3
CALM_NS: Final = 500_000_000
"""A standby is started so long after everything was adopted: until then the processor has other work."""
SIGNAL_FAULTS: Final[Mapping[str, signal.Signals]] = {
    "kill": signal.SIGKILL,
    "segv": signal.SIGSEGV,
    "abort": signal.SIGABRT,
    "stop": signal.SIGSTOP,
}
MESSAGE_FAULTS: Final = ("exit", "exception", "spin", "spin-c", "deadlock", "block-pool")

Handler = Callable[["Init", Peer, Message, int], None]


def handle(init: Init, peer: Peer, message: Message, fd: int) -> None:
    """Carry out one message; `fd` came with it (or -1) and is closed unless it is kept.

    Raises Refused, or KeyError, TypeError or ValueError for a message that lacks something.
    """
    op = message.get("op")
    kept = False
    try:
        if op not in ALLOWED[peer.role]:
            raise Refused(f"{peer.role} may not send {op!r}")
        HANDLERS[str(op)](init, peer, message, fd)
        kept = op in ("put", "entrust")
    finally:
        if fd >= 0 and not kept:
            os.close(fd)


# -- jlaunchd and the launchers -----------------------------------------------------------------


def _hello(init: Init, peer: Peer, message: Message, fd: int) -> None:
    role = str(message["role"])
    if role == "launcher-full":
        stat = linux.process_stat(peer.pid)
        genuine = stat is not None and stat.parent == init.keepers["launcher"].pid
    else:
        genuine = role in init.keepers and init.keepers[role].pid == peer.pid
    if not genuine:
        raise Refused(f"pid {peer.pid} is not {role}")
    if (older := init.peer_of(role)) is not None:
        older.dead = True
    peer.role = role
    peer.pidfd = os.pidfd_open(peer.pid)
    peer.pinger = Pinger(time.monotonic_ns() + PING_NS) if init.boot.heartbeats else None
    if role in init.keepers:
        init.keepers[role].hello = True
    if role == "jlaunchd":
        _welcome(init, peer)
        return
    if isinstance(words := message.get("containment"), dict):
        init.containment = words
        init.trees.learn(words)
    peer.send({"op": "welcome"})
    if role == "launcher-full":
        init.keepers["launcher"].ready()
        init.event("launcher", "ready")
    stage = "lean" if role == "launcher" else "full"
    init.spares.release(stage)
    for process in init.table.offer(stage, time.monotonic_ns()):
        peer.send({"op": "fork", "order": process.order})


def _welcome(init: Init, peer: Peer) -> None:
    peer.send({"op": "boot", "started_ns": init.started_ns})  # first: every order tells it
    for process in init.table.processes.values():
        set_aside = init.aside.get(process.name, 0) >= ASIDE_AFTER
        if set_aside:
            init.table.records.pop(process.name, None)
            init.table.standing.pop(process.name, None)
        record = init.table.records.get(process.name)
        peer.send(
            {
                "op": "process",
                "process": describe_before(process),
                "record": record,
                "aside": set_aside,
                "standing": _told_of(init.table.standing.get(process.name)),
            }
        )
    init.spares.welcome()
    for notice in init.notices:
        peer.send(notice)
        if notice.get("successor"):
            _tell_of_successor(init, peer, str(notice["name"]))
    peer.send({"op": "welcome"})


def _told_of(standing: Standing | None) -> Message | None:
    if standing is None:
        return None
    return {"incarnation": standing.incarnation, "mark": standing.mark}


def _tell_of_successor(init: Init, peer: Peer, name: str) -> None:
    """What has become of it, as it was told at the time, had anybody listened."""
    process = init.table.processes.get(name)
    if process is None or process.replaces is None:
        return  # all of that is in the record
    known = describe(process)
    if process.pid:
        peer.send({"op": "claimed", "process": {**known, "pid": process.pid}})
    for stage in process.reached:
        peer.send({"op": "report", "stage": stage, "process": known})


def _adopting(init: Init, peer: Peer, message: Message, fd: int) -> None:
    init.adopting = str(message["name"])


def _adopted(init: Init, peer: Peer, message: Message, fd: int) -> None:
    init.adopting = ""
    init.aside.clear()
    init.keepers["jlaunchd"].ready()
    if init.boot.standby:
        init.standby.want(time.monotonic_ns() + CALM_NS)
    init.event("jlaunchd", "ready")


def _start(init: Init, peer: Peer, message: Message, fd: int) -> None:
    name, incarnation = str(message["name"]), _int(message, "incarnation")
    stage = str(message["stage"])
    order = _order(message, stage)
    record = message.get("record")
    _refuse_while_stopping(init)
    _check_record(record)
    if KEY in order:
        stamp(order, "reserved")
    process = init.table.reserve(name, incarnation, stage, order, time.monotonic_ns())
    init.table.records[name] = record
    init.start(process)


def _record(init: Init, peer: Peer, message: Message, fd: int) -> None:
    incarnation, record = _int(message, "incarnation"), message["record"]
    _check_record(record)
    standing = message.get("standing")
    if not isinstance(standing, dict):
        init.table.record(str(message["name"]), incarnation, record)
        return
    stage, successor = str(standing["stage"]), _int(standing, "incarnation")
    order = _order(standing, stage)
    if successor <= incarnation:
        raise Refused(f"incarnation {successor} cannot succeed {incarnation}")
    given = Standing(successor, stage, order, str(standing.get("mark", "")))
    init.table.record(str(message["name"]), incarnation, record, given)


def _order(message: Message, stage: str) -> Message:
    order = message["order"]
    if not isinstance(order, dict):
        raise TypeError("order is not an object")
    if stage == "foreign" and not isinstance(order.get("foreign"), dict):
        raise TypeError("foreign is not an object")
    return order


def _check_record(record: object) -> None:
    if record is None:
        return
    if not isinstance(record, dict):
        raise TypeError("record is not an object")
    if len(encode(record)) > MAX_RECORD:
        raise Refused(f"a record has {MAX_RECORD} bytes at most")


def _signal(init: Init, peer: Peer, message: Message, fd: int) -> None:
    process = init.table.find(str(message["name"]), _int(message, "incarnation"))
    process.ordered = str(message.get("ordered", "")) or process.ordered
    number = _int(message, "signal")
    if number == signal.SIGABRT:
        ours = init.peer_of_pid(process.pid) is not None
        init.aborts.begin(process.pid, time.monotonic_ns(), ours=ours)
    else:
        os.kill(process.pid, number)


def _ack(init: Init, peer: Peer, message: Message, fd: int) -> None:
    init.acknowledge(_int(message, "id"))


def _publish(init: Init, peer: Peer, message: Message, fd: int) -> None:
    modules = message["modules"]
    if not isinstance(modules, list):
        raise TypeError("modules is not a list")
    for module in modules:
        if not isinstance(module, dict):
            raise TypeError("a module is not an object")
        init.published[str(module["name"])] = dict(module)


def _event(init: Init, peer: Peer, message: Message, fd: int) -> None:
    init.broadcast(message["record"])


def _entrust(init: Init, peer: Peer, message: Message, fd: int) -> None:
    """Keep what jlaunchd has signed; no answer, and nothing changes when it is there already."""
    if not _is_jlaunchd(init, peer):
        raise Refused(f"pid {peer.pid} is not jlaunchd")
    if fd < 0:
        raise ValueError("no descriptor came with it")
    if not init.store.entrust(str(message["key"]), fd):
        os.close(fd)


def _forget(init: Init, peer: Peer, message: Message, fd: int) -> None:
    init.table.forget(str(message["name"]))
    init.spares.dismiss(str(message["name"]), "its module is forgotten")
    init.published.pop(str(message["name"]), None)


def _finished(init: Init, peer: Peer, message: Message, fd: int) -> None:
    init.stop_modules()


def _pong(init: Init, peer: Peer, message: Message, fd: int) -> None:
    """Noted as a sign of life already, as is whatever else a peer says."""
    _int(message, "number")


# -- modules ------------------------------------------------------------------------------------


def _claim(init: Init, peer: Peer, message: Message, fd: int) -> None:
    stat = linux.process_stat(peer.pid)
    if stat is None or stat.parent != os.getpid():
        raise Refused(f"pid {peer.pid} is not a child of init")
    _refuse_while_stopping(init)
    name = str(message["name"])
    if peer.role == "spare":
        init.spares.require_called(peer.pid)
    process = init.table.claim(name, _int(message, "incarnation"), peer.pid, stat.start_time)
    if peer.role == "spare":
        init.spares.claimed(peer.pid)
    peer.role = "module"
    peer.send({"op": "granted"})
    init.claimed(process)


def _refuse_while_stopping(init: Init) -> None:
    """After init's own signals nobody would ask a newcomer to leave."""
    if init.stopping.by_us:
        raise Refused("the instance is stopping")


def _report(init: Init, peer: Peer, message: Message, fd: int) -> None:
    if "part" in message:
        forwarded: Message = {"op": "part", **{k: message[k] for k in ("part", "stage")}}
        process = init.table.running(peer.pid)
    else:
        stage = str(message["stage"])
        process = init.table.report(peer.pid, stage, _int(message, "monotonic_ns"))
        if isinstance(stamps := message.get(KEY), dict):
            process.phases = stamps
        init.reported(process, stage)
        return
    if jlaunchd := init.peer_of("jlaunchd"):
        jlaunchd.send({**forwarded, "process": describe(process)})


def _put(init: Init, peer: Peer, message: Message, fd: int) -> None:
    if fd < 0:
        raise ValueError("no descriptor came with it")
    try:
        init.store.put(init.table.running(peer.pid), str(message["key"]), fd)
    except Refused as refusal:
        os.close(fd)
        peer.send({"op": "refused", "why": str(refusal)})
        return
    peer.send({"op": "done"})


def _get(init: Init, peer: Peer, message: Message, fd: int) -> None:
    key = str(message["key"])
    if _is_jlaunchd(init, peer):
        stored = init.store.find(key)
        missing = {"op": "missing", "why": f"there is no {key}"}
        peer.send(missing if stored < 0 else {"op": "done", "key": key}, stored)
        return
    if peer.role == "spare":
        peer.send({"op": "done", "key": key}, sparing.identity_for(init, peer, key))
        return
    peer.send({"op": "done", "key": key}, init.store.get(init.table.running(peer.pid), key))


def _drop(init: Init, peer: Peer, message: Message, fd: int) -> None:
    init.store.drop(init.table.running(peer.pid), str(message["key"]))
    peer.send({"op": "done"})


def _is_jlaunchd(init: Init, peer: Peer) -> bool:
    """Is this the supervisor, even if it has not said hello yet?"""
    return bool(peer.pid and peer.pid == init.keepers["jlaunchd"].pid)


# -- operators ----------------------------------------------------------------------------------


def _status(init: Init, peer: Peer, message: Message, fd: int) -> None:
    if not _is_jlaunchd(init, peer):
        _require_operator(init, peer)
    peer.send({"op": "status", "status": init.status()})


def _watch(init: Init, peer: Peer, message: Message, fd: int) -> None:
    _require_operator(init, peer)
    peer.watching = True
    peer.send({"op": "watching"})


def _identity(init: Init, peer: Peer, message: Message, fd: int) -> None:
    _require_operator(init, peer)
    stored = init.store.find("operator/identity")
    missing = {"op": "missing", "why": "nobody has been given an identity yet"}
    peer.send(missing if stored < 0 else {"op": "done"}, stored)


def _require_operator(init: Init, peer: Peer) -> None:
    """Raise Refused for a process of the instance itself, which commands nobody.

    An orphan that we have adopted was one; but a PID 1 adopts whatever there is in its namespace.
    Who cannot be seen from here (pid 0) is outside of our namespace, and thus not ours.
    """
    ours = {process.pid for process in init.table.alive()}
    ours.update(keeper.pid for keeper in init.keepers.values())
    pid, me = peer.pid, os.getpid()
    while pid > 1 and pid != me:
        stat = linux.process_stat(pid)
        if stat is None or pid in ours or (stat.parent == me != 1):
            raise Refused(f"pid {peer.pid} belongs to the instance and may not command it")
        pid = stat.parent


def _stop(init: Init, peer: Peer, message: Message, fd: int) -> None:
    _require_operator(init, peer)
    peer.send({"op": "stopping"})
    init.stop()


def _inject(init: Init, peer: Peer, message: Message, fd: int) -> None:
    if not _is_jlaunchd(init, peer):
        _require_operator(init, peer)
    name, kind = str(message["name"]), str(message["kind"])
    if kind not in SIGNAL_FAULTS and kind.split(":")[0] not in MESSAGE_FAULTS:
        raise Refused(f"there is no fault {kind!r}")
    if name == "init":
        _inject_into_init(init, peer, kind)
        return
    pid, target = _target(init, name)
    if kind not in SIGNAL_FAULTS and target is None:
        raise Refused(f"{name} is not connected")
    process = init.table.processes.get(name)
    if kind == "block-pool" and (process is None or process.stage != "full"):
        raise Refused(f"{name} has no RPC threads that a heartbeat passes")
    if name in init.table.processes:
        init.table.find(name).ordered = FAULT
    now = time.monotonic_ns()
    if kind not in SIGNAL_FAULTS and target is not None:
        target.send({"op": "fault", "kind": kind})
    elif name == "launcher-full" and target is not None:
        # Not our child: its pid may be another's by now.
        signal.pidfd_send_signal(target.pidfd, SIGNAL_FAULTS[kind])
    else:
        os.kill(pid, SIGNAL_FAULTS[kind])
    # Told after it was done: whoever hears of it takes processor time from who is dying.
    init.event(name, "fault", cause=kind)
    peer.send({"op": "done", "pid": pid, "monotonic_ns": now})


def _target(init: Init, name: str) -> tuple[int, Peer | None]:
    """The pid and connection that a fault against `name` means; raises Refused."""
    if name in init.keepers:
        keeper = init.keepers[name]
        if not keeper.pid:
            raise Refused(f"{name} is not running")
        return keeper.pid, init.peer_of(name)
    if name == "launcher-full":
        full = init.peer_of(name)
        if full is None:
            raise Refused(f"{name} is not running")
        return full.pid, full
    process = init.table.find(name)
    return process.pid, init.peer_of_pid(process.pid)


def _inject_into_init(init: Init, peer: Peer, kind: str) -> None:
    if kind not in SIGNAL_FAULTS:
        raise Refused(f"init takes kill, segv, abort and stop, not {kind}")
    first = os.getpid() == 1
    if first and kind == "stop":
        raise Refused("init is PID 1: nothing inside its namespace can stop it")
    peer.send({"op": "done", "pid": os.getpid(), "monotonic_ns": time.monotonic_ns()})
    if first:
        os._exit(128 + SIGNAL_FAULTS[kind])  # PID 1 ignores deadly signals from inside
    if kind in ("segv", "abort"):
        signal.signal(SIGNAL_FAULTS[kind], signal.SIG_DFL)
    os.kill(os.getpid(), SIGNAL_FAULTS[kind])


def _int(message: Message, key: str) -> int:
    value = message[key]
    if not isinstance(value, int):
        raise TypeError(f"{key} is not a number")
    return value


HANDLERS: Final[Mapping[str, Handler]] = {
    "hello": _hello,
    "adopting": _adopting,
    "adopted": _adopted,
    "start": _start,
    "record": _record,
    "signal": _signal,
    "ack": _ack,
    "publish": _publish,
    "event": _event,
    "forget": _forget,
    "finished": _finished,
    "pong": _pong,
    "spare": sparing.ask,
    "dismiss": sparing.dismiss,
    "announce": sparing.announce,
    "waiting": sparing.waiting,
    "claim": _claim,
    "report": _report,
    "put": _put,
    "get": _get,
    "entrust": _entrust,
    "drop": _drop,
    "status": _status,
    "watch": _watch,
    "identity": _identity,
    "inject": _inject,
    "stop": _stop,
}

ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    # Who has just connected may be anybody: each handler asks who it is.
    "operator": frozenset(
        {
            *("hello", "claim", "announce", "get", "entrust"),
            *("status", "watch", "identity", "inject", "stop"),
        }
    ),
    "spare": frozenset({"waiting", "claim", "get"}),
    "module": frozenset({"report", "put", "get", "drop"}),
    "launcher": frozenset({"pong"}),
    "launcher-full": frozenset({"pong"}),
    "jlaunchd": frozenset(
        {
            *("adopting", "adopted", "start", "record", "signal", "ack", "publish"),
            *("event", "forget", "finished", "pong", "get", "entrust", "inject"),
            *("spare", "dismiss"),
        }
    ),
}
