"""What may be asked of a real init, and that nothing anybody sends ends or blocks it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from jsupervisor.init.requests import ALLOWED, HANDLERS, MESSAGE_FAULTS, SIGNAL_FAULTS
from jsupervisor.init.store import MAX_PER_SHARE
from jsupervisor.init.table import MAX_RECORD
from jsupervisor.initproto import MAX_MESSAGE, Connection, Json, encode
from jsupervisor.observer.processes import alive, identify

Rig = Callable[..., Any]
system = pytest.mark.system

HUGE = 10**30
NASTY: list[dict[str, Json]] = [
    {},
    {"op": None},
    {"op": ["status"]},
    {"op": {"a": 1}},
    {"op": "no-such-op"},
    {"op": "hello"},
    {"op": "hello", "role": 5},
    {"op": "claim"},
    {"op": "claim", "name": [], "incarnation": "x"},
    {"op": "claim", "name": "x", "incarnation": HUGE},
    {"op": "inject"},
    {"op": "inject", "name": "init", "kind": "nonsense"},
    {"op": "inject", "name": "init", "kind": "exit:1"},
    {"op": "inject", "name": "nobody", "kind": "kill"},
    {"op": "inject", "name": "launcher-full", "kind": "kill"},
    {"op": "start", "name": "x"},
    {"op": "put", "key": "x/y"},
    {"op": "get"},
    {"op": "get", "key": "jlaunchd/ca"},
    {"op": "entrust", "key": "operator/identity"},
    {"op": "signal", "name": "x", "incarnation": 1, "signal": 9},
]
NASTY_JLAUNCHD: list[dict[str, Json]] = [
    {"op": "start"},
    {"op": "start", "name": "x", "incarnation": "1", "stage": "lean", "order": {}},
    {"op": "start", "name": "x", "incarnation": 1, "stage": "lean", "order": []},
    {"op": "start", "name": "x", "incarnation": 1, "stage": "fat", "order": {}},
    {"op": "start", "name": "x", "incarnation": 1, "stage": "lean", "order": {}, "record": "text"},
    {"op": "record", "name": "x"},
    {"op": "record", "name": "x", "record": {}},
    {"op": "record", "name": "x", "incarnation": 1, "record": ["x" * 10_000]},
    {"op": "record", "name": "x", "incarnation": 1, "record": {"x": "y" * MAX_RECORD}},
    {"op": "record", "name": "rpd", "incarnation": 1, "record": {}, "standing": {}},
    {
        "op": "record",
        "name": "rpd",
        "incarnation": 1,
        "record": {},
        "standing": {"incarnation": 2, "stage": "lean", "order": []},
    },
    {
        "op": "record",
        "name": "rpd",
        "incarnation": 1,
        "record": {},
        "standing": {"incarnation": 1, "stage": "lean", "order": {}},
    },
    {"op": "signal", "name": "rpd", "incarnation": 1, "signal": HUGE},
    {"op": "signal", "name": "rpd", "incarnation": 1, "signal": -5},
    {"op": "signal", "name": "rpd", "incarnation": 1, "signal": 4711},
    {"op": "signal", "name": "rpd", "incarnation": 2, "signal": 9},
    {"op": "signal", "name": "rpd", "incarnation": 1, "signal": "kill"},
    {"op": "publish", "modules": {}},
    {"op": "publish", "modules": ["x"]},
    {"op": "publish", "modules": [["name", "x"]]},
    {"op": "publish", "modules": [{"state": "up"}]},
    {"op": "ack", "id": "x"},
    {"op": "entrust", "key": "x/y"},
    {"op": "event"},
    {"op": "forget", "name": "rpd"},
    {"op": "pong", "number": None},
    {"op": "inject", "name": "init", "kind": "nonsense"},
    {"op": "claim", "name": "rpd", "incarnation": 1},
]


def test_every_request_has_a_handler_and_every_handler_somebody_who_may_ask() -> None:
    assert set(HANDLERS) == frozenset().union(*ALLOWED.values())
    assert not set(SIGNAL_FAULTS) & set(MESSAGE_FAULTS)


@system
def test_nonsense_of_an_operator_is_refused_and_changes_nothing(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    init.module(jlaunchd, launcher, "rpd")
    before = init.status()
    connection = init.operator()
    for message in NASTY:
        assert "refused" == connection.request(message)["op"], message
    connection.close()

    assert before == init.status()


@system
def test_nonsense_of_jlaunchd_is_refused_and_changes_nothing(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    init.module(jlaunchd, launcher, "rpd")
    before = init.status()
    for message in NASTY_JLAUNCHD:
        op = str(message["op"])
        fields = {key: value for key, value in message.items() if key != "op"}
        assert "refused" == jlaunchd.ask(op, **fields)["op"], message

    assert before == init.status()


@system
@pytest.mark.parametrize(
    "data", [b"2{}", b"x", b"1", b"1[]", b"1{", b"1" + b"[" * 50_000, b"1" + b" " * MAX_MESSAGE]
)
def test_bytes_that_are_no_message_are_refused(rig: Rig, data: bytes) -> None:
    init = rig()
    connection = init.operator()
    bare = socket.socket(fileno=os.dup(connection.fileno()))
    bare.settimeout(15)
    with bare:
        bare.send(data)
        assert "refused" == json.loads(bare.recv(100_000)[1:])["op"]
        bare.send(encode({"op": "status"}))
        assert "status" == json.loads(bare.recv(100_000)[1:])["op"]
    connection.close()


@system
def test_an_empty_message_ends_the_connection_and_nothing_else(rig: Rig) -> None:
    init = rig()
    connection = init.operator()
    bare = socket.socket(fileno=os.dup(connection.fileno()))
    with bare:
        bare.send(b"")
        assert connection.receive() is None
    connection.close()

    assert init.status()["init"] == {"pid": init.process.pid}


@system
def test_a_message_that_grows_too_long_on_its_way_to_others_is_left_out(rig: Rig) -> None:
    init = rig()
    jlaunchd, _ = init.staff()
    watcher = init.operator()
    watcher.request({"op": "watch"})
    jlaunchd.do("wide", count=60_000)  # half as long in UTF-8 as init would write it
    jlaunchd.say("event", record={"name": "small"})
    received = watcher.receive()

    assert received is not None
    assert {"name": "small"} == received[0]["record"]
    assert "operator: cannot send a message of " in init.stderr()
    watcher.close()


@system
def test_descriptors_are_kept_for_those_who_may_have_them(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    pfe = init.module(jlaunchd, launcher, "pfe0", shares=["fabric"])
    pfectl = init.module(jlaunchd, launcher, "pfectl0", shares=["pfe0"])
    rpd = init.module(jlaunchd, launcher, "rpd")
    reader, writer = os.pipe()
    os.write(writer, b"hello")

    assert {"op": "done"} == pfe.ask("put", [reader], key="pfe0/image")
    assert "pfe0/image exists" == pfe.ask("put", [reader], key="pfe0/image")["why"]
    assert "refused" == pfe.ask("put", key="pfe0/other")["op"]
    assert "rpd may not use pfe0/" == rpd.ask("get", key="pfe0/image")["why"]
    assert "rpd may not use pfe0/" == rpd.ask("put", [reader], key="pfe0/x")["why"]
    assert "rpd may not use pfe0/" == rpd.ask("drop", key="pfe0/image")["why"]
    assert "there is no pfe0/other" == pfectl.ask("get", key="pfe0/other")["why"]
    os.kill(pfe.pid, signal.SIGKILL)
    jlaunchd.expect("exit", name="pfe0")
    os.close(reader)
    assert "done" == pfectl.ask("get", key="pfe0/image")["op"]
    assert b"hello" == os.read(pfectl.fds[0], 10)
    os.close(pfectl.fds[0])
    assert "done" == jlaunchd.ask("get", key="pfe0/image")["op"]
    os.close(jlaunchd.fds[0])
    assert {"op": "done"} == pfectl.ask("drop", key="pfe0/image")
    assert "there is no pfe0/image" == pfectl.ask("drop", key="pfe0/image")["why"]
    os.close(writer)


@system
def test_a_share_has_its_limit_and_refused_descriptors_do_not_stay_open(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    pfe = init.module(jlaunchd, launcher, "pfe0")
    for number in range(MAX_PER_SHARE):
        pfe.ask("put", [0], key=f"pfe0/{number}")
    full = len(os.listdir(f"/proc/{init.process.pid}/fd"))
    for _ in range(20):
        assert "pfe0 has 256 descriptors" in str(pfe.ask("put", [0], key="pfe0/more")["why"])
        assert "refused" == pfe.ask("put", [0, 0], key=5)["op"]

    assert full == len(os.listdir(f"/proc/{init.process.pid}/fd"))


@system
def test_a_peer_that_never_reads_is_cut_and_blocks_nobody(rig: Rig) -> None:
    init = rig(patch="import jsupervisor.init.peers as p; p.MAX_QUEUE = 200")
    jlaunchd, _ = init.staff()
    deaf, keen = init.operator(), init.operator()
    for watcher in (deaf, keen):
        watcher.request({"op": "watch"})
    for number in range(1500):
        jlaunchd.say("event", record={"number": number})
        received = keen.receive()
        assert received is not None
        assert {"number": number} == received[0]["record"]

    heard = 0
    while deaf.receive() is not None:
        heard += 1
    assert heard < 1500
    assert init.status()["jlaunchd"] == {"pid": jlaunchd.pid, "incarnation": 1}
    deaf.close()
    keen.close()


@system
def test_a_flood_of_connections_leaves_init_at_work(rig: Rig) -> None:
    init = rig(patch="import jsupervisor.init.server as s; s.MAX_PEERS = 20")
    jlaunchd, _ = init.staff()
    flood = [init.operator() for _ in range(30)]
    ends = [connection for connection in flood if not _answers(connection)]

    assert 12 == len(ends)
    for connection in flood:
        connection.close()
    jlaunchd.sync()
    assert init.status()["jlaunchd"]["pid"] == jlaunchd.pid


def _answers(connection: Connection) -> bool:
    try:
        return connection.request({"op": "status"})["op"] == "status"
    except OSError:
        return False


STRANGER = """
import os, sys
sys.path.insert(0, sys.argv[2])
from jsupervisor.initproto import Connection
os.setgid(65534); os.setuid(65534)
connection = Connection.open(sys.argv[1], 15)
try:
    print(connection.request({"op": "status"}))
except OSError:
    print("cut")
"""


@system
@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be somebody else")
def test_another_user_is_not_served(rig: Rig) -> None:
    import jsupervisor

    init = rig()
    init.staff()
    path = init.run_dir / "init.sock"
    for opened in (path, init.run_dir, init.run_dir.parent):
        opened.chmod(0o777)
    root = os.path.dirname(os.path.dirname(jsupervisor.__file__))
    said = subprocess.run(
        [sys.executable, "-S", "-c", STRANGER, str(path), root],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ("cut\n", "") == (said.stdout, said.stderr)


@system
@pytest.mark.parametrize(
    ("kind", "cause"),
    [("kill", "signal:SIGKILL"), ("segv", "signal:SIGSEGV"), ("abort", "signal:SIGABRT")],
)
def test_a_fault_by_signal_reaches_a_module_and_is_told_to_watchers(
    rig: Rig, kind: str, cause: str
) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    module = init.module(jlaunchd, launcher, "rpd")
    watcher = init.operator()
    watcher.request({"op": "watch"})
    answer = init.ask("inject", name="rpd", kind=kind)
    exit_notice = jlaunchd.expect("exit")
    received = watcher.receive()
    watcher.close()

    assert ("done", module.pid) == (answer["op"], answer["pid"])
    assert (cause, "fault") == (exit_notice["cause"], exit_notice["ordered"])
    assert received is not None
    record = received[0]["record"]
    assert ("rpd", "fault", kind, 1) == tuple(
        record[key] for key in ("name", "event", "cause", "incarnation")
    )


@system
@pytest.mark.parametrize("kind", ["exit:17", "exception", "spin", "spin-c", "deadlock"])
@pytest.mark.parametrize("victim", ["rpd", "jlaunchd", "launcher"])
def test_other_faults_travel_over_the_victims_connection(rig: Rig, kind: str, victim: str) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    puppets = {"jlaunchd": jlaunchd, "launcher": launcher}
    puppets["rpd"] = init.module(jlaunchd, launcher, "rpd")

    assert puppets[victim].pid == init.ask("inject", name=victim, kind=kind)["pid"]
    assert {"op": "fault", "kind": kind} == puppets[victim].expect("fault")


@system
def test_who_is_aborted_writes_its_own_stack_first(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    init.module(jlaunchd, launcher, "rpd")
    jlaunchd.say("signal", name="rpd", incarnation=1, signal=6, ordered="hang")

    # A puppet does not know SIGUSR2, which ends it before SIGABRT does.
    notice = jlaunchd.expect("exit")
    assert ("signal:SIGUSR2", "hang") == (notice["cause"], notice["ordered"])


@system
def test_only_those_with_rpc_threads_can_have_them_blocked(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    init.module(jlaunchd, launcher, "pfe0")

    assert ["pfe0", "jlaunchd", "launcher"] == [
        str(init.ask("inject", name=name, kind="block-pool")["why"]).split()[0]
        for name in ("pfe0", "jlaunchd", "launcher")
    ]


@system
def test_a_fault_that_cannot_be_delivered_is_refused_and_leaves_no_mark(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.puppet("jlaunchd"), init.puppet("launcher")
    launcher.hello()
    watcher = init.operator()
    watcher.request({"op": "watch"})

    assert "jlaunchd is not connected" == init.ask("inject", name="jlaunchd", kind="spin")["why"]
    jlaunchd.hello()
    jlaunchd.say("adopted")
    received = watcher.receive()
    assert received is not None
    assert "ready" == received[0]["record"]["event"]
    watcher.close()


@system
def test_a_stopped_module_can_be_killed(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    module = init.module(jlaunchd, launcher, "rpd")
    known = identify(module.pid)
    assert known is not None
    init.ask("inject", name="rpd", kind="stop")
    jlaunchd.say("signal", name="rpd", incarnation=1, signal=9, ordered="hang")

    assert "hang" == jlaunchd.expect("exit")["ordered"]
    assert not alive(known)


@system
def test_a_fault_against_the_full_stage_goes_to_that_very_process(rig: Rig) -> None:
    init = rig()
    _, launcher = init.staff()
    launcher.do("fork", role="launcher-full")
    full = init.puppet("launcher-full")
    full.hello()

    assert full.pid == init.ask("inject", name="launcher-full", kind="kill")["pid"]
    full.await_end()
    assert init.status()["launcher"]["pid"] == launcher.pid


def a_memory_file(content: bytes) -> int:
    fd = os.memfd_create("test", os.MFD_CLOEXEC)
    os.write(fd, content)
    return fd


def entrust(jlaunchd: Any, key: str, content: bytes) -> None:
    """As jlaunchd does; it may do so before its hello."""
    fd = a_memory_file(content)
    jlaunchd.say("entrust", [fd], key=key)
    os.close(fd)


def content_of(fds: list[int]) -> list[bytes]:
    """What is in them; closes them."""
    found = [os.pread(fd, 100, 0) for fd in fds]
    for fd in fds:
        os.close(fd)
    return found


@system
def test_jlaunchd_keeps_its_authority_with_init_before_it_says_hello(rig: Rig) -> None:
    init = rig()
    first = init.puppet("jlaunchd")
    missing = first.ask("get", key="jlaunchd/ca")
    entrust(first, "jlaunchd/ca", b"secret")
    entrust(first, "jlaunchd/ca", b"another")
    kept = first.ask("get", key="jlaunchd/ca")
    before = content_of(first.fds)
    first.do("exit", code=1)
    second = init.puppet("jlaunchd")
    second.ask("get", key="jlaunchd/ca")

    assert ("missing", "done") == (missing["op"], kept["op"])
    assert [b"secret"] == before == content_of(second.fds)


@system
def test_the_authority_is_for_jlaunchd_alone(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    entrust(jlaunchd, "jlaunchd/ca", b"secret")
    entrust(jlaunchd, "mgd/identity", b"mgd")
    entrust(jlaunchd, "rpd/identity", b"rpd")
    module = init.module(jlaunchd, launcher, "rpd", shares=["jlaunchd", "mgd"])
    module.do("fork", role="child")
    child = init.puppet("child")
    answers = {
        (asker, key): puppet.ask("get", key=key)["op"]
        for asker, puppet in (("rpd", module), ("its child", child), ("launcher", launcher))
        for key in ("jlaunchd/ca", "mgd/identity")
    }
    operator = init.ask("get", key="jlaunchd/ca")
    module.ask("get", key="rpd/identity")

    assert {"refused"} == set(answers.values())
    assert "refused" == operator["op"]
    assert [b"rpd"] == content_of(module.fds)


@system
def test_nobody_but_jlaunchd_says_who_anybody_is(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    module = init.module(jlaunchd, launcher, "rpd")
    fd = a_memory_file(b"false")
    tried = [
        module.ask("entrust", [fd], key="mgd/identity"),
        module.ask("put", [fd], key="rpd/identity"),
        launcher.ask("entrust", [fd], key="mgd/identity"),
        init.ask("entrust", key="mgd/identity"),
    ]
    os.close(fd)

    assert ["refused"] * 4 == [answer["op"] for answer in tried]
    assert "missing" == jlaunchd.ask("get", key="mgd/identity")["op"]


@system
@pytest.mark.parametrize("role", ["child", "module"])
def test_a_process_of_the_instance_commands_nobody(rig: Rig, role: str) -> None:
    """Neither a child of a module nor an orphan of one that init has adopted."""
    init = rig()
    jlaunchd, launcher = init.staff()
    entrust(jlaunchd, "operator/identity", b"operator")
    module = init.module(jlaunchd, launcher, "rpd")
    module.do("fork", role=role)
    inside = init.puppet(role)
    orders: list[dict[str, Json]] = [
        {"op": "identity"},
        {"op": "stop"},
        {"op": "inject", "name": "rpd", "kind": "kill"},
        {"op": "inject", "name": "init", "kind": "kill"},
    ]
    answers = [inside.ask(**order) for order in orders]

    assert ["refused"] * len(orders) == [answer["op"] for answer in answers]
    assert all("may not command it" in str(answer["why"]) for answer in answers)
    assert "running" == init.status()["processes"][0]["phase"]


@system
def test_the_owner_is_the_operator(rig: Rig) -> None:
    init = rig()
    jlaunchd, _ = init.staff()
    connection = init.operator()
    early = connection.request({"op": "identity"})
    entrust(jlaunchd, "operator/identity", b"operator")
    jlaunchd.sync()
    connection.send({"op": "identity"})
    answer = connection.receive()
    connection.close()

    assert "missing" == early["op"]
    assert answer is not None
    assert ("done", [b"operator"]) == (answer[0]["op"], content_of(answer[1]))


@system
@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root, for a namespace of its own")
def test_an_orphan_of_nobodys_in_inits_namespace_is_an_operator(rig: Rig) -> None:
    """A PID 1 adopts everything, a shell of the owner's too; a module's child is still refused."""
    init = rig(prefix=("unshare", "-pf", "--mount-proc", "--kill-child"))
    jlaunchd, launcher = init.staff()
    entrust(jlaunchd, "operator/identity", b"operator")
    module = init.module(jlaunchd, launcher, "rpd")
    module.do("fork", role="child")
    child = init.puppet("child")
    module.do("fork", role="module")
    orphan = init.puppet("module")

    assert "refused" == child.ask("identity")["op"]
    assert "done" == orphan.ask("identity")["op"]
    assert [b"operator"] == content_of(orphan.fds)
