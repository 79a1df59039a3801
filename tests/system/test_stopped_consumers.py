"""A consumer that stands still (SIGSTOP) delays no producer, however much changes meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest

from jsupervisor.testing import Router
from jsupervisor.testing.calls import Calls

pytestmark = pytest.mark.system

ROUTES = 200
CONSUMERS = ("chassisd", "dcd", "rpd", "pfectl0", "eventd")


def config(turn: int) -> str:
    """A host name and routes, none of which the turn before had."""
    routes = "".join(f"route 10.{turn % 250}.{n}.0/24 discard; " for n in range(ROUTES))
    return f"system {{ host-name r{turn}; }} routing-options {{ static {{ {routes} }} }}"


class Churn:
    """Loads one configuration after the other from a thread of its own."""

    def __init__(self, router: Router) -> None:
        self._calls = Calls(router.instance)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.loaded = 0
        self.error: Exception | None = None

    def _run(self) -> None:
        try:
            for turn in count(1):
                if self._stop.is_set():
                    return
                self._calls.load(config(turn), timeout=5.0)
                self.loaded = turn
        except Exception as error:  # noqa: BLE001 - the test's own thread must tell
            self.error = error

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the block runs."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()
            self._calls.close()


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_a_stopped_consumer_delays_no_producer_under_churn(consumer: str) -> None:
    with Router.boot(profile="vmx", policy="never-give-up") as router:
        before = router.processes()
        churn = Churn(router)
        with churn.running():
            report = router.inject("stop", consumer)
            during = churn.loaded
        after = router.processes()
        wanted = {f"10.{churn.loaded % 250}.{n}.0/24" for n in range(ROUTES)}
        until_applied(router, wanted)

    assert churn.error is None
    assert report.recovered
    assert during > 0
    assert {consumer} == {name for name in before if before[name] != after[name]}


def until_applied(router: Router, wanted: set[str]) -> None:
    """Wait until the forwarding table has exactly these routes; the test's own deadline ends it."""
    for _ in range(500):
        if wanted == forwarded(router):
            return
    raise AssertionError("the last configuration did not reach the packet engine")


def forwarded(router: Router) -> set[str]:
    """The IPv4 destinations in the forwarding table."""
    data = router.show("pfectl0", "forwarding-table-information")
    assert isinstance(data, dict)
    information = data["forwarding-table-information"]
    assert isinstance(information, dict)
    tables = information["route-table"]
    assert isinstance(tables, list)
    return {
        entry["rt-destination"]
        for table in tables
        if table["table-name"] == "default.inet"
        for entry in table["rt-entry"]
        if entry["rt-destination"].startswith("10.")
    }
