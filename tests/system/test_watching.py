"""A router is watched while it is being killed, by good clients and bad ones."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from jsupervisor.export.exporter import scrape
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.jlaunchd.scrape import CONNECTIONS
from jsupervisor.runtime.rotate import archive, lines
from jsupervisor.testing import Router

pytestmark = pytest.mark.system

DEADLINE = 30.0


def metrics(router: Router) -> dict[str, Metric]:
    """What a scrape says, by name; a jlaunchd that is being replaced is waited for."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            text = scrape(router.instance)
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return {metric.name: metric for metric in families}


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    """One sample; 0 when it is not there."""
    for sample in found[f"jsupervisor_{name}"].samples:
        if labels.items() <= sample.labels.items():
            return sample.value
    return 0.0


def fds(router: Router) -> int:
    """How many descriptors jlaunchd has open."""
    return len(os.listdir(f"/proc/{router.status().jlaunchd.pid}/fd"))


def connect(router: Router) -> socket.socket:
    """A connection to the metrics socket."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(DEADLINE)
    client.connect(str(router.instance.run_dir / "jlaunchd" / "metrics.sock"))
    return client


def test_every_kill_of_a_storm_is_counted_while_it_is_scraped(vmx: Router) -> None:
    before = metrics(vmx)
    ended = threading.Event()
    scrapes: list[dict[str, Metric]] = []

    def watch() -> None:
        while not ended.is_set():
            scrapes.append(metrics(vmx))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        for _ in range(3):
            for name in ("rpd", "dcd", "alarmd"):
                vmx.inject("kill", name)
    finally:
        ended.set()
        watching.join()
    after = metrics(vmx)

    for name in ("rpd", "dcd", "alarmd"):
        counted = [value(found, "failures", module=name) for found in (before, *scrapes, after)]
        assert sorted(counted) == counted
        assert 3 == counted[-1] - counted[0]


def test_counters_go_on_through_the_death_of_jlaunchd(vmx: Router) -> None:
    vmx.inject("kill", "rpd")
    before = metrics(vmx)
    vmx.inject("kill", "jlaunchd")
    after = metrics(vmx)

    for name in ("failures", "restarts", "faults"):
        assert value(before, name, module="rpd") == value(after, name, module="rpd")
    assert 1 == value(after, "failures", module="jlaunchd") - value(
        before, "failures", module="jlaunchd"
    )
    assert 2 <= value(after, "incarnation", module="jlaunchd")


def test_every_process_tells_what_it_uses_and_whom_it_served(vmx: Router) -> None:
    callees = {"rpd", "mgd", "dcd", "eventd", "pfectl0"}
    served: set[str] = set()
    deadline = time.monotonic() + 15.0
    while (
        not callees <= served and time.monotonic() < deadline
    ):  # consumers come back in their own time
        found = metrics(vmx)
        served = {s.labels["module"] for s in found["jsupervisor_rpc_handled"].samples}
    used = {s.labels["module"] for s in found["jsupervisor_process_cpu_seconds"].samples}

    assert {"init", "jlaunchd", "launcher", "rpd", "pfe0", "pfectl0"} <= used
    assert callees <= served
    assert "pfe0" not in served


def test_slow_silent_and_mad_clients_make_nobody_wait(vmx: Router) -> None:
    slow = [connect(vmx) for _ in range(CONNECTIONS - 1)]
    for client in slow:
        client.send(b"GET /met")
    for garbage in (b"\0" * 10_000, b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", b"\r\n\r\n"):
        with connect(vmx) as client:
            try:
                client.sendall(garbage)
                client.shutdown(socket.SHUT_WR)
                while client.recv(4096):
                    pass
            except OSError:
                pass
    report = vmx.inject("kill", "rpd")
    found = metrics(vmx)
    for client in slow:
        client.close()

    assert report.recovered
    assert 1 == value(found, "up", module="mgd")


def test_a_thousand_scrapes_leave_no_descriptor_behind(vmx: Router) -> None:
    speaking = {"jlaunchd", "chassisd", "alarmd", "eventd", "mgd", "dcd", "rpd", "pfectl0"}
    deadline = time.monotonic() + DEADLINE
    while speaking != {
        s.labels["module"] for s in metrics(vmx)["jsupervisor_rpc_in_flight"].samples
    }:
        assert time.monotonic() < deadline
    before = fds(vmx)
    for _ in range(1000):
        scrape(vmx.instance)
    deadline = time.monotonic() + DEADLINE
    while fds(vmx) > before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


PROFILE = """
[profile]
name = "chatty"
policy = "never-give-up"
[log]
size = "64k"
files = 1000
[program.chatty]
entry = "jsup_chatty:Chatty"
"""


@pytest.fixture
def chatty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Router]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "daemons"))
    with Router.boot(plan=parse_plan(PROFILE, "chatty.toml")) as router:
        yield router


def test_no_line_is_lost_when_a_chatty_module_and_its_supervisor_are_killed(
    chatty: Router,
) -> None:
    path = chatty.instance.log_dir / "chatty.stderr"
    for wanted in range(1, 4):
        deadline = time.monotonic() + DEADLINE
        while not archive(path, 2 * wanted).exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        chatty.inject("kill", "chatty")
        if wanted == 2:
            chatty.inject("kill", "jlaunchd")
    last = chatty.status().find("chatty").incarnation
    chatty.down("chatty")
    numbers = [n for n in reversed(range(1000)) if archive(path, n).exists()]
    kept = [line for n in (*numbers, None) for line in lines(path, n)]
    written: dict[int, set[int]] = {}
    for words in (line.split() for line in kept if line.endswith(b"x" * 100)):
        written.setdefault(int(words[0]), set()).add(int(words[1]))

    assert set(range(1, last + 1)) == set(written)
    for found in written.values():
        assert set(range(max(found) + 1)) == found
    assert path.stat().st_blocks * 512 < 1024 * 1024 < path.stat().st_size
