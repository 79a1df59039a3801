"""The operator's channel to a real jlaunchd, over the death of one."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.observer.events import EventRecord
from jsupervisor.paths import Instance
from jsupervisor.testing import Router
from jsupervisor.top.link import Link, LinkError, record_of

pytestmark = pytest.mark.system


@pytest.fixture
def link(router: Router) -> Iterator[Link]:
    found = Link(router.instance)
    found.boot(router.init.pid)
    yield found
    found.close()


def again(ask: Callable[[], object], timeout: float = 15.0) -> None:
    """Ask until jlaunchd answers: the channel needs a moment to find the successor."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            ask()
        except LinkError:
            assert time.monotonic() < deadline
            time.sleep(0.005)
            continue
        return


def kill_jlaunchd(router: Router) -> None:
    pid = router.processes()["jlaunchd"].pid
    mark = router.mark()
    os.kill(pid, signal.SIGKILL)
    router.wait_for(mark, "jlaunchd", "ready")


def test_metrics_and_history_are_answered(link: Link) -> None:
    names = [process.name for process in link.metrics().processes]
    history = link.history("rpd", 2)

    assert ["init", "jlaunchd", "launcher", "rpd", "dcd"] == names
    assert {"rpd"} == {record.name for record in history}
    assert 2 == len(history)


def test_modules_are_ordered_about(link: Link, router: Router) -> None:
    before = router.processes()["rpd"]
    reply = link.restart("rpd", pb.HOW_IMMEDIATELY)
    assert before.pid != reply.pid == router.processes()["rpd"].pid

    mark = router.mark()
    link.stop("dcd")
    router.wait_for(mark, "dcd", "exit")
    link.start("dcd")
    router.wait_for(mark, "dcd", "ready")
    assert ["rpd", "dcd"] == link.set_policy("routing", "erlang")
    assert ["rpd", "dcd"] == link.set_policy("routing", "never-give-up")


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (lambda link: link.stop("bgpd"), "cannot find module 'bgpd'"),
        (lambda link: link.history("bgpd", 1), "cannot find module 'bgpd'"),
        (lambda link: link.set_policy("rpd", "nice"), "cannot use policy 'nice'"),
    ],
)
def test_a_refusal_is_jlaunchds_own(
    link: Link, order: Callable[[Link], object], error: str
) -> None:
    with pytest.raises(LinkError, match=error):
        order(link)


def test_events_go_on_after_the_death_of_jlaunchd_and_none_is_lost(
    link: Link, router: Router
) -> None:
    seen: list[EventRecord] = []

    def listen(until: Callable[[EventRecord], bool]) -> None:
        for record in link.events():
            seen.append(record)
            if until(record):
                return

    newest = router.events()[-1]
    listen(lambda record: record.monotonic_ns == newest.monotonic_ns)
    first = len(seen)
    kill_jlaunchd(router)
    again(lambda: link.history("", 1))
    mark = router.mark()
    link.restart("rpd", pb.HOW_GRACEFULLY)
    ready = router.wait_for(mark, "rpd", "ready")
    again(lambda: listen(lambda record: record.monotonic_ns == ready.monotonic_ns))
    since = [(each.name, each.event) for each in seen[first:]]

    assert ("jlaunchd", "exit") in since
    assert ("jlaunchd", "ready") in since
    assert len(seen) == len(set(seen))


def test_closing_ends_whoever_listens(link: Link) -> None:
    ended = threading.Event()
    began = threading.Event()

    def listen() -> None:
        try:
            for _ in link.events():
                began.set()
        except LinkError:
            ended.set()

    thread = threading.Thread(target=listen)
    thread.start()
    assert began.wait(10)
    link.close()
    thread.join(10)

    assert ended.is_set()
    with pytest.raises(LinkError, match="cannot see the metrics: the connection was closed"):
        link.metrics()


def test_another_boot_is_another_connection(link: Link, router: Router) -> None:
    link.metrics()
    link.boot(router.init.pid + 1)

    assert link.metrics().processes


def test_without_an_instance_it_says_so(router: Router) -> None:
    nobody = Instance("none", router.instance.home, router.instance.run_dir / "none")

    with pytest.raises(LinkError, match="cannot see the metrics: cannot reach instance none"):
        Link(nobody).metrics()


def test_an_event_without_a_downtime_has_none() -> None:
    event = pb.Event(name="rpd", event="ready", incarnation=2, monotonic_ns=7, time="t", attempt=1)

    assert record_of(event).downtime_ms is None
    event.downtime_ms = 0.0
    assert (
        EventRecord("rpd", "ready", 2, "", 7, "t", 0.0, 1, "")
        == record_of(event)
    )  # fmt: skip
