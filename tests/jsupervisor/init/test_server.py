"""init as a process: its children, what it keeps for them, and its ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jsupervisor.init.server import Init
from jsupervisor.init.state import Boot
from jsupervisor.initproto import Connection, Message
from jsupervisor.linux import process_stat
from jsupervisor.observer.processes import alive, identify

pytestmark = pytest.mark.system

Rig = Callable[..., Any]


def events(watcher: Connection, name: str, event: str) -> Message:
    """The next event of this kind about `name`."""
    while True:
        received = watcher.receive()
        assert received is not None
        record = received[0].get("record")
        if isinstance(record, dict) and (name, event) == (record["name"], record["event"]):
            return dict(record)


def watch(rig: Any) -> Connection:
    """A watcher of all events from now on."""
    connection: Connection = rig.operator()
    connection.request({"op": "watch"})
    return connection


def until(true: Callable[[], bool]) -> None:
    """Wait for what stays so once it is."""
    deadline = time.monotonic() + 15
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def parent_of(pid: int) -> int | None:
    """The parent's pid, while there is such a process."""
    stat = process_stat(pid)
    return None if stat is None else stat.parent


# -- jlaunchd and the launcher --------------------------------------------------------------------


def test_init_starts_both_with_the_number_of_their_incarnation(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()

    assert ["1", "1"] == [jlaunchd.argv[-1], launcher.argv[-1]]
    status = init.status()
    assert {"pid": jlaunchd.pid, "incarnation": 1} == status["jlaunchd"]
    assert {"pid": launcher.pid, "incarnation": 1} == status["launcher"]
    assert {"pid": init.process.pid} == status["init"]


@pytest.mark.parametrize("role", ["jlaunchd", "launcher"])
def test_a_child_that_dies_is_started_again_at_once(rig: Rig, role: str) -> None:
    init = rig()
    init.staff()
    watcher = watch(init)
    os.kill(init.status()[role]["pid"], signal.SIGKILL)
    gone = events(watcher, role, "exit")

    assert ("signal:SIGKILL", "restart in 0 ms") == (gone["cause"], gone["next"])
    assert "2" == init.puppet(role).argv[-1]
    watcher.close()


def test_a_child_that_stops_answering_is_killed_and_started_again(rig: Rig) -> None:
    init = rig()
    jlaunchd, _ = init.staff()
    watcher = watch(init)
    jlaunchd.do("silent")

    assert "hang" == events(watcher, "jlaunchd", "hang")["cause"]
    assert "signal:SIGKILL" == events(watcher, "jlaunchd", "exit")["cause"]
    assert "2" == init.puppet("jlaunchd").argv[-1]
    watcher.close()


def test_with_heartbeats_off_init_wakes_up_for_events_alone(tmp_path: Path) -> None:
    boot = Boot(
        instance="rig", profile="none", architecture="modular", home=str(tmp_path),
        run_dir=str(tmp_path), lock_fd=-1, heartbeats=False,
    )  # fmt: skip
    init = Init(boot)
    for keeper in init.keepers.values():
        keeper.started(os.getpid(), 0, 0)
        keeper.hello = True

    assert init._run_deadlines(10**18) is None


def test_with_heartbeats_off_nobody_is_pinged(rig: Rig) -> None:
    init = rig(heartbeats=False)
    jlaunchd, _ = init.staff()
    jlaunchd.sync()

    assert "ping" not in {message["op"] for message in jlaunchd.heard}


def test_a_child_that_never_says_hello_is_killed(rig: Rig) -> None:
    init = rig(patch="import jsupervisor.init.keeper as k; k.HELLO_TIMEOUT_NS = 100_000_000")
    watcher = watch(init)
    init.puppet("jlaunchd")

    assert "no hello" == events(watcher, "jlaunchd", "hang")["cause"]
    assert 1 < int(init.puppet("jlaunchd").argv[-1])
    watcher.close()


def test_a_child_that_keeps_dying_is_started_ever_more_slowly_and_never_given_up(
    rig: Rig,
) -> None:
    init = rig(jlaunchd=["/no/such/program"])
    watcher = watch(init)
    exits = [events(watcher, "jlaunchd", "exit") for _ in range(4)]
    waits = [int(str(record["next"]).split()[2]) for record in exits]

    assert {"exit:127"} == {record["cause"] for record in exits}
    assert waits == sorted(waits)
    assert waits[-1] >= 50
    watcher.close()


def test_status_is_answered_without_jlaunchd(rig: Rig) -> None:
    init = rig(jlaunchd=["/no/such/program"])
    watcher = watch(init)
    for _ in range(5):
        events(watcher, "jlaunchd", "exit")

    assert init.status()["jlaunchd"]["pid"] is None
    watcher.close()


def test_only_the_child_that_init_started_may_say_hello(rig: Rig) -> None:
    init = rig()
    jlaunchd, _ = init.staff()

    for role in ("jlaunchd", "launcher", "launcher-full", "init"):
        assert "refused" == init.ask("hello", role=role)["op"]
    assert jlaunchd.pid == init.status()["jlaunchd"]["pid"]


# -- modules --------------------------------------------------------------------------------------


def test_a_module_runs_once_its_claim_is_granted(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    module = init.module(jlaunchd, launcher, "rpd")
    module.say("report", stage="ready", monotonic_ns=5)
    process = jlaunchd.expect("report")["process"]

    assert ("rpd", 1, module.pid, {"ready": 5}) == tuple(
        process[key] for key in ("name", "incarnation", "pid", "reached")
    )
    jlaunchd.say("start", name="rpd", incarnation=2, stage="lean", order={})
    assert "rpd incarnation 1 is running" == jlaunchd.expect("refused")["why"]


def test_a_second_claimant_and_a_stale_one_are_refused(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    init.module(jlaunchd, launcher, "rpd")
    for incarnation in (0, 1, 2):
        launcher.do("fork", role="module")
        late = init.puppet("module")
        late.say("claim", name="rpd", incarnation=incarnation)
        assert "refused" == late.expect_any("refused", "granted")["op"]


def test_who_is_no_child_of_init_becomes_no_module(rig: Rig) -> None:
    init = rig()
    jlaunchd, _ = init.staff()
    jlaunchd.say("start", name="rpd", incarnation=1, stage="lean", order={})
    why = init.ask("claim", name="rpd", incarnation=1)["why"]

    assert f"pid {os.getpid()} is not a child of init" == why


def test_a_reservation_that_nobody_claims_expires(rig: Rig) -> None:
    init = rig(patch="import jsupervisor.init.table as t; t.CLAIM_TIMEOUT_NS = 100_000_000")
    jlaunchd, launcher = init.staff()
    jlaunchd.say("start", name="rpd", incarnation=1, stage="lean", order={})

    assert {"name": "rpd", "incarnation": 1}.items() <= jlaunchd.expect("expired").items()
    launcher.do("fork", role="module")
    late = init.puppet("module")
    late.say("claim", name="rpd", incarnation=1)
    assert "rpd incarnation 1 is gone as 0" == late.expect("refused")["why"]


def test_a_new_launcher_gets_the_orders_that_its_predecessor_did_not_carry_out(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    jlaunchd.say("start", name="rpd", incarnation=1, stage="lean", order={"x": 1})
    launcher.expect("fork")
    os.kill(launcher.pid, signal.SIGKILL)
    successor = init.puppet("launcher")
    successor.say("hello", role="launcher")

    assert {"x": 1} == successor.expect("fork")["order"]


def test_exits_are_kept_until_a_jlaunchd_acknowledges_them(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    module = init.module(jlaunchd, launcher, "rpd")
    os.kill(jlaunchd.pid, signal.SIGKILL)
    second = init.puppet("jlaunchd")
    module.do("exit", code=17)
    module.await_end()
    heard: list[Message] = []
    for successor in (second, None):
        successor = successor or init.puppet("jlaunchd")
        successor.hello()
        exits = [message for message in successor.heard if message["op"] == "exit"]
        heard += exits or [successor.expect("exit")]
        os.kill(successor.pid, signal.SIGKILL)

    assert [("rpd", 1, module.pid, "exit:17")] * 2 == [
        (m["name"], m["incarnation"], m["pid"], m["cause"]) for m in heard
    ]
    assert heard[0]["id"] == heard[1]["id"]
    assert not heard[0]["dumped"]
    used = heard[0]["usage"]
    assert isinstance(used, dict)
    assert ["maxrss_kb", "stime", "utime"] == sorted(used)
    assert used["maxrss_kb"] > 1000
    fourth = init.puppet("jlaunchd")
    fourth.hello()
    known = [m for m in fourth.heard if m["op"] == "process"]
    assert [("gone", {"of": "rpd"})] == [(m["process"]["phase"], m["record"]) for m in known]
    fourth.say("ack", id=fourth.heard[-2]["id"])
    fourth.sync()
    os.kill(fourth.pid, signal.SIGKILL)
    fifth = init.puppet("jlaunchd")
    fifth.hello()
    assert [] == [message for message in fifth.heard if message["op"] == "exit"]


def test_a_standing_order_is_carried_out_without_a_supervisor_and_told_to_the_next_one(
    rig: Rig,
) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    module = init.module(jlaunchd, launcher, "rpd")
    module.say("report", stage="ready", monotonic_ns=5)
    jlaunchd.expect("report")
    standing = {"incarnation": 2, "stage": "lean", "order": {"x": 1}}
    record = {"name": "rpd", "incarnation": 1, "record": {"of": "rpd"}}
    jlaunchd.say("record", **record, standing=standing)
    jlaunchd.sync()
    os.kill(jlaunchd.pid, signal.SIGSTOP)
    module.do("exit", code=17)
    assert 1 == launcher.expect("fork")["order"]["x"]
    launcher.do("fork", role="module")
    second = init.puppet("module")
    second.say("claim", name="rpd", incarnation=2)
    second.expect("granted")
    second.say("report", stage="ready", monotonic_ns=9)
    second.ask("get", key="x/y")
    os.kill(jlaunchd.pid, signal.SIGKILL)
    for _ in range(2):
        successor = init.puppet("jlaunchd")
        successor.hello()
        told = [
            m for m in successor.heard if m.get("op") in ("process", "exit", "claimed", "report")
        ]
        os.kill(successor.pid, signal.SIGKILL)

        assert ["process", "exit", "claimed", "report"] == [m["op"] for m in told]
        assert (1, module.pid, "running") == tuple(
            told[0]["process"][key] for key in ("incarnation", "pid", "phase")
        )
        assert ("exit:17", 1, 2) == (told[1]["cause"], told[1]["incarnation"], told[1]["successor"])
        assert [(2, second.pid)] * 2 == [
            (m["process"]["incarnation"], m["process"]["pid"]) for m in told[2:]
        ]
    last = init.puppet("jlaunchd")
    last.hello()
    last.say("record", name="rpd", incarnation=2, record={"of": "rpd 2"})
    last.sync()
    os.kill(last.pid, signal.SIGKILL)
    knowing = init.puppet("jlaunchd")
    knowing.hello()
    processes = [m for m in knowing.heard if m["op"] == "process"]
    assert [(2, {"of": "rpd 2"})] == [(m["process"]["incarnation"], m["record"]) for m in processes]
    assert "claimed" not in [m["op"] for m in knowing.heard]
    assert [None] == [m["standing"] for m in processes]


def test_a_standing_order_outlives_the_jlaunchd_that_gave_it(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    module = init.module(jlaunchd, launcher, "rpd")
    standing = {"incarnation": 2, "stage": "lean", "order": {}, "mark": "plan 1"}
    jlaunchd.say("record", name="rpd", incarnation=1, record={}, standing=standing)
    jlaunchd.sync()
    os.kill(jlaunchd.pid, signal.SIGKILL)
    successor = init.puppet("jlaunchd")
    successor.hello()
    (told,) = [m for m in successor.heard if m["op"] == "process"]
    module.do("exit", code=1)

    assert {"incarnation": 2, "mark": "plan 1"} == told["standing"]
    assert 2 == successor.expect("exit")["successor"]
    successor.say("record", name="rpd", incarnation=2, record={})


def test_a_record_at_which_jlaunchd_dies_three_times_is_set_aside(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    init.module(jlaunchd, launcher, "rpd")
    os.kill(jlaunchd.pid, signal.SIGKILL)
    aside = []
    for _ in range(4):
        successor = init.puppet("jlaunchd")
        successor.hello()
        process = next(message for message in successor.heard if message["op"] == "process")
        aside.append((process["aside"], process["record"]))
        successor.say("adopting", name="rpd")
        if not process["aside"]:
            successor.do("exit", code=1)
    successor.say("adopted")
    successor.sync()
    os.kill(successor.pid, signal.SIGKILL)
    last = init.puppet("jlaunchd")
    last.hello()
    process = next(message for message in last.heard if message["op"] == "process")

    assert [(False, {"of": "rpd"})] * 3 + [(True, None)] == aside
    assert (False, None) == (process["aside"], process["record"])


def test_status_says_of_a_module_what_jlaunchd_published_and_the_kernel_knows(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    module = init.module(jlaunchd, launcher, "rpd")
    jlaunchd.say("publish", modules=[{"name": "rpd", "state": "up", "pid": 1}])
    jlaunchd.sync()

    told = {"name": "rpd", "state": "up", "pid": module.pid, "tree_kill": "best-effort"}

    assert [told] == init.status()["modules"]


# -- the ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["lifeline", "operator", "signal"])
def test_an_orderly_stop_is_jlaunchds_and_leaves_nothing(rig: Rig, how: str) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    module = init.module(jlaunchd, launcher, "rpd")
    family = init.family()
    if how == "lifeline":
        init.let_go()
    elif how == "operator":
        assert {"op": "stopping"} == init.ask("stop")
    else:
        init.process.send_signal(signal.SIGTERM)
    jlaunchd.expect("stop")
    jlaunchd.say("signal", name="rpd", incarnation=1, signal=int(signal.SIGTERM), ordered="stop")
    assert "signal:SIGTERM" == jlaunchd.expect("exit")["cause"]
    jlaunchd.say("finished")

    assert 0 == init.process.wait(15)
    module.await_end()
    assert [] == [process for process in family if alive(process)]
    assert not init.run_dir.exists()


def test_a_stop_without_jlaunchd_is_inits_own(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    init.module(jlaunchd, launcher, "rpd")
    init.ask("stop")
    jlaunchd.expect("stop")
    os.kill(jlaunchd.pid, signal.SIGKILL)

    assert 0 == init.process.wait(15)
    assert not init.run_dir.exists()


def stand_still(pid: int) -> None:
    """Stop a process, and wait until it is: a signal that comes first would still end it."""
    os.kill(pid, signal.SIGSTOP)
    while (stat := process_stat(pid)) is not None and stat.state != "T":
        os.sched_yield()


def test_a_module_that_comes_too_late_for_the_stop_is_refused(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    first = init.module(jlaunchd, launcher, "one")
    jlaunchd.say("start", name="two", incarnation=1, stage="lean", order={})
    launcher.expect("fork")
    launcher.do("fork", role="module")
    late = init.puppet("module")
    stand_still(first.pid)  # so that the stop takes its time
    init.ask("stop")
    jlaunchd.say("finished")
    jlaunchd.sync()
    late.say("claim", name="two", incarnation=1)

    assert "the instance is stopping" == late.expect_any("refused", "granted")["why"]


def test_the_death_of_init_is_the_death_of_all(rig: Rig) -> None:
    init = rig()
    jlaunchd, launcher = init.staff()
    init.module(jlaunchd, launcher, "one")
    init.module(jlaunchd, launcher, "two")

    assert 5 == len(init.strays())
    assert [] == init.close()


def test_orphans_are_reaped(rig: Rig) -> None:
    init = rig()
    _, launcher = init.staff()
    launcher.do("orphan")
    orphan = identify(launcher.expect("orphan")["pid"])
    assert orphan is not None
    until(lambda: parent_of(orphan.pid) == init.process.pid)
    os.kill(orphan.pid, signal.SIGKILL)

    until(lambda: identify(orphan.pid) != orphan)


UNSHARE = ("unshare", "-pf", "--mount-proc", "--kill-child")


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root, for a namespace of its own")
@pytest.mark.parametrize("kind", ["kill", "segv", "abort"])
def test_as_pid_1_init_works_and_dies_when_told(rig: Rig, kind: str) -> None:
    init = rig(prefix=UNSHARE)
    jlaunchd, launcher = init.staff()
    module = init.module(jlaunchd, launcher, "rpd")
    family = init.family()

    assert {"pid": 1} == init.status()["init"]
    module.do("exit", code=3)
    assert "exit:3" == jlaunchd.expect("exit")["cause"]
    assert "refused" == init.ask("inject", name="init", kind="stop")["op"]
    assert {"op": "done", "pid": 1} == {
        key: value
        for key, value in init.ask("inject", name="init", kind=kind).items()
        if key != "monotonic_ns"
    }
    init.process.wait(15)
    assert [] == [process for process in family if alive(process)]


@pytest.mark.parametrize(("kind", "status"), [("kill", -9), ("segv", -11), ("abort", -6)])
def test_a_fault_of_inits_own_is_carried_out(rig: Rig, kind: str, status: int) -> None:
    init = rig()
    init.staff()

    assert "done" == init.ask("inject", name="init", kind=kind)["op"]
    assert status == init.process.wait(15)
