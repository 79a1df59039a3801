"""Two hosts of the kernel, joined only through the router, while its control modules die in turn.

Each host is a network namespace with one end of a veth pair; the other end is a port of the router.
Dense pings and TCP run in IPv4 and IPv6 all the while.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

import pytest

from jsupervisor.boot import make_plan
from jsupervisor.demo.runner import UNLIMITED
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.testing import Router

pytestmark = [
    pytest.mark.system,
    pytest.mark.root,
    pytest.mark.skipif(os.getuid() != 0, reason="needs root: makes network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs ip (iproute2)"),
]

CONTROL: Final = (
    *("eventd", "alarmd", "chassisd", "mgd", "dcd", "rpd", "pfectl0", "jlaunchd", "launcher"),
)
CONFIG: Final = """
interfaces {
    ge-0/0/0 {
        unit 0 {
            family inet { address 192.0.2.1/24; }
            family inet6 { address 2001:db8:1::1/64; }
        }
    }
    ge-0/0/1 {
        unit 0 {
            family inet { address 198.51.100.1/24; }
            family inet6 { address 2001:db8:2::1/64; }
        }
    }
}
"""
# 200 echo requests a second until standard input ends; then which of them were not answered.
PINGER: Final = """
import json, select, socket, struct, sys, time

target = sys.argv[1]
v6 = ":" in target
family, protocol = (socket.AF_INET6, 58) if v6 else (socket.AF_INET, 1)
sock = socket.socket(family, socket.SOCK_DGRAM, protocol)
sock.connect((target, 0))
sent, answered, due, stopping = 0, set(), time.monotonic(), 0.0
while True:
    now = time.monotonic()
    if not stopping and now >= due:
        body = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 0, sent % 65536) + struct.pack("!Q", sent)
        sock.send(body)  # the kernel fills identifier and checksum of ping sockets
        sent += 1
        due += 0.005
    readable, _, _ = select.select([sock] + ([] if stopping else [sys.stdin]), [], [], max(0, due - now))
    if sock in readable:
        answered.add(struct.unpack("!Q", sock.recv(2048)[8:16])[0])
    if sys.stdin in readable:
        stopping = now
    if stopping and (len(answered) == sent or now - stopping > 2):
        break
    if stopping:
        due = now + 0.01
lost = sorted(set(range(sent)) - answered)
print(json.dumps({"sent": sent, "lost": len(lost), "first": lost[:5]}))
"""


def run(*command: str) -> None:
    """A command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, f"{command}: {done.stderr}"


@dataclass(frozen=True, slots=True)
class Namespace:
    """A host: a network namespace of the kernel."""

    name: str

    def command(self, *command: str) -> list[str]:
        """The command, to be run as this host."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command: str) -> None:
        """Run it; it must succeed."""
        run(*self.command(*command))

    def adopt(self, ifname: str, inet: str, inet6: str, gateways: tuple[str, str]) -> None:
        """Take an interface over and make it the host's only one."""
        run("ip", "link", "set", ifname, "netns", self.name)
        self.run("sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", inet, "dev", ifname)
        self.run("ip", "address", "add", inet6, "dev", ifname, "nodad")
        self.run("ip", "link", "set", ifname, "up")
        for gateway in gateways:
            self.run("ip", "route", "add", "default", "via", gateway)


def forgiving(ports: dict[str, str]) -> Plan:
    """A vmx that gives up nobody: the same module dies again and again here."""
    plan = make_plan("vmx", ports=ports)
    programs = tuple(replace(program, policy=UNLIMITED) for program in plan.programs)
    return replace(plan, programs=programs)


@contextmanager
def namespace(name: str) -> Iterator[Namespace]:
    """A namespace that goes away with everything in it."""
    run("ip", "netns", "add", name)
    try:
        yield Namespace(name)
    finally:
        run("ip", "netns", "delete", name)


@pytest.fixture(scope="module")
def net() -> Iterator[tuple[Router, Namespace, Namespace]]:
    """A router between two hosts."""
    number = os.getpid()
    left, right = f"jsl{number}", f"jsr{number}"
    ports = {"ge-0/0/0": f"veth:{left}", "ge-0/0/1": f"veth:{right}"}
    with (
        namespace(f"jsup-left-{number}") as one,
        namespace(f"jsup-right-{number}") as two,
        Router.boot(plan=forgiving(ports), config=CONFIG) as router,
    ):
        one.adopt(left, "192.0.2.2/24", "2001:db8:1::2/64", ("192.0.2.1", "2001:db8:1::1"))
        two.adopt(right, "198.51.100.2/24", "2001:db8:2::2/64", ("198.51.100.1", "2001:db8:2::1"))
        for target in ("198.51.100.2", "2001:db8:2::2"):
            await_answer(one, target)
        yield router, one, two


def await_answer(host: Namespace, target: str) -> None:
    """Ping until there is an answer: the first packets are lost to neighbour resolution."""
    for _ in range(20):
        pinger = Pinger(host, target)
        found = pinger.stop()
        if found["sent"] and not found["lost"]:
            return
    raise AssertionError(f"{target} does not answer")


class Pinger:
    """Dense pings from a host, until it is told to stop."""

    def __init__(self, host: Namespace, target: str) -> None:
        self._process = subprocess.Popen(
            host.command(sys.executable, "-c", PINGER, target),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def stop(self) -> dict[str, int]:
        """How many were sent, how many lost."""
        out, _ = self._process.communicate(timeout=20)
        result: dict[str, int] = json.loads(out)
        return result


def test_no_ping_is_lost_while_each_control_module_dies(
    net: tuple[Router, Namespace, Namespace],
) -> None:
    router, one, _ = net
    pingers = [Pinger(one, target) for target in ("198.51.100.2", "2001:db8:2::2")]
    reports = [router.inject("kill", module) for module in CONTROL * 2]
    results = [pinger.stop() for pinger in pingers]

    assert [] == [report.why for report in reports if not report.recovered]
    assert [0, 0] == [result["lost"] for result in results]
    assert all(result["sent"] > 100 for result in results)


@pytest.mark.skipif(shutil.which("iperf3") is None, reason="needs iperf3")
def test_tcp_never_breaks_while_each_control_module_dies(
    net: tuple[Router, Namespace, Namespace],
) -> None:
    router, one, two = net
    with ExitStack() as stack:
        clients = []
        for port, target in (("5201", "198.51.100.2"), ("5202", "2001:db8:2::2")):
            server = subprocess.Popen(
                two.command("iperf3", "--server", "--one-off", "--port", port, "--bind", target),
                stdout=subprocess.DEVNULL,
            )
            stack.callback(server.wait)
            stack.callback(server.kill)
            command = ["iperf3", "--client", target, "--port", port, "--json", "--time", "60"]
            await_listener(two, port)
            client = subprocess.Popen(
                one.command(*command, "--bitrate", "20M"), stdout=subprocess.PIPE, text=True
            )
            stack.callback(client.wait)
            clients.append(client)
        reports = [router.inject("kill", module) for module in CONTROL * 2]
        results = [end(client) for client in clients]

    assert [] == [report.why for report in reports if not report.recovered]
    for result in results:
        assert "" == result.error
        assert 1 == result.connections
        assert min(result.bytes_by_second) > 0


@dataclass(frozen=True, slots=True)
class TcpReport:
    """What an iperf3 client says of its connection."""

    error: str
    connections: int
    bytes_by_second: list[int]


def end(client: subprocess.Popen[str]) -> TcpReport:
    """Interrupt a client that is still running, and read its report."""
    assert None is client.poll()
    client.terminate()
    out, _ = client.communicate(timeout=20)
    report = json.loads(out)
    error = str(report.get("error", ""))
    # The last interval is the one that we cut.
    seconds = [interval["sum"]["bytes"] for interval in report["intervals"][:-1]]
    return TcpReport(
        "" if error.startswith("interrupt") else error, len(report["start"]["connected"]), seconds
    )


def await_listener(host: Namespace, port: str) -> None:
    """Until somebody listens: the namespace's own /proc/net says so."""
    wanted = f":{int(port):04X} "
    for _ in range(1000):
        read = host.command("cat", "/proc/net/tcp", "/proc/net/tcp6")
        done = subprocess.run(read, capture_output=True, text=True, check=True)
        if any(wanted in line and " 0A " in line for line in done.stdout.splitlines()):
            return
    raise AssertionError(f"nobody listens on {port}")
