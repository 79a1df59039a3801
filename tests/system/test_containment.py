"""A real rpd that has gone bad tries its hand at everything; what stops it, and what does not, is said here.

Twice: with a uid for each module (root), and with one uid for all, where the layers that need no root
are left: Landlock, seccomp, init's own rules and certificates.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jsupervisor.boot import make_plan
from jsupervisor.containment import machine
from jsupervisor.demo import lab
from jsupervisor.demo.lab import Inputs
from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.plan import Containment, Limits, Plan
from jsupervisor.observer.processes import alive, identify
from jsupervisor.testing import Router

pytestmark = pytest.mark.system

FOLDER = Path(__file__).parent / "attacks"
ROOT = os.geteuid() == 0
OWN = "own uids"
SHARED = "one uid"
LANDLOCK = machine.look().landlock
SECCOMP = machine.look().seccomp
Attack = Callable[..., Json]


def plan_of(uids: bool, confine: str = "", limits: Limits | None = None) -> Plan:
    """A vmx whose rpd does what it is told."""
    plan = make_plan("vmx")
    programs = tuple(
        replace(
            program, entry="attacker:Attacker", confine=confine, limits=limits or program.limits
        )
        if program.name == "rpd"
        else program
        for program in plan.programs
    )
    wanted = Containment(uids=None if uids else False)
    return replace(plan, programs=programs, containment=wanted)


@pytest.fixture(scope="module")
def path() -> Iterator[None]:
    """Modules find the attacker."""
    with pytest.MonkeyPatch.context() as patch:
        known = os.environ.get("PYTHONPATH")
        patch.setenv("PYTHONPATH", f"{FOLDER}:{known}" if known else str(FOLDER))
        yield


@pytest.fixture(scope="module", params=[OWN, SHARED])
def router(request: pytest.FixtureRequest, path: None) -> Iterator[Router]:
    """A router with a bad rpd."""
    if request.param == OWN and not ROOT:
        pytest.skip("modules have uids of their own only where root starts them")
    with Router.boot(plan=plan_of(request.param == OWN), config=lab.config(Inputs())) as router:
        yield router


@pytest.fixture
def own(router: Router) -> bool:
    """Has each module a uid of its own?"""
    return uid_of(router, "rpd") != os.geteuid()


@pytest.fixture
def attack(router: Router) -> Attack:
    """Have rpd try something; what came of it."""

    def have(name: str, **arguments: object) -> Json:
        texts = {key: str(value) for key, value in arguments.items()}
        return router.show("rpd", name, timeout=5.0, **texts)

    return have


def uid_of(router: Router, name: str) -> int:
    """The uid that a module runs as."""
    return os.stat(f"/proc/{router.processes()[name].pid}").st_uid


def refused(outcome: Json) -> bool:
    """Was it?"""
    assert isinstance(outcome, dict)
    return "refused" in outcome


needs_landlock = pytest.mark.skipif(not LANDLOCK, reason="the kernel has no Landlock")
needs_scopes = pytest.mark.skipif(LANDLOCK < 6, reason="Landlock is older than ABI 6")
needs_seccomp = pytest.mark.skipif(not SECCOMP, reason="no filter for this machine")


# -- who it is ------------------------------------------------------------------------------------


def test_a_module_has_no_capability_and_can_gain_none(attack: Attack, own: bool) -> None:
    outcome = attack("status")
    assert isinstance(outcome, dict)
    status = outcome["done"]
    assert isinstance(status, dict)

    assert (["1"], ["2" if SECCOMP else "0"]) == (status["NoNewPrivs"], status["Seccomp"])
    if own:
        assert [["0" * 16]] * 2 == [status["CapEff"], status["CapBnd"]]
        assert refused(attack("become-root"))


@pytest.mark.root
@pytest.mark.skipif(not ROOT, reason="needs root")
def test_no_two_modules_share_a_uid(router: Router, own: bool) -> None:
    names = [module.name for module in router.status().modules]
    uids = [uid_of(router, name) for name in names]

    assert len(names) == len(set(uids)) if own else {os.geteuid()} == set(uids)


# -- other processes ------------------------------------------------------------------------------


@pytest.mark.parametrize("victim", ["pfe0", "mgd", "jlaunchd", "launcher"])
@pytest.mark.parametrize("way", ["signal", "thread-signal", "pidfd-signal", "set-priority"])
def test_it_signals_and_slows_nobody_else(
    router: Router, attack: Attack, victim: str, way: str
) -> None:
    assert refused(attack(way, pid=router.processes()[victim].pid))


def test_it_signals_not_even_init(router: Router, attack: Attack) -> None:
    assert refused(attack("signal", pid=router.init.pid, signal=9))


@pytest.mark.parametrize("way", ["trace", "read-memory", "read-environment", "descriptors"])
@pytest.mark.parametrize("victim", ["mgd", "pfe0", "jlaunchd"])
def test_it_sees_into_nobody_else(router: Router, attack: Attack, victim: str, way: str) -> None:
    assert refused(attack(way, pid=router.processes()[victim].pid))


# -- init -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "fields"),
    [
        ("stop", {}),
        ("status", {}),
        ("watch", {}),
        ("identity", {}),
        ("inject", {"victim": "pfe0", "kind": "kill"}),
        ("hello", {"role": "jlaunchd"}),
        ("hello", {"role": "launcher"}),
    ],
)
def test_init_does_nothing_that_it_asks_over_another_connection(
    router: Router, attack: Attack, op: str, fields: dict[str, str]
) -> None:
    assert refused(attack("ask-init", path=router.instance.init_socket, op=op, **fields))


@pytest.mark.parametrize("key", ["pfe0/image", "mgd/identity", "jlaunchd/ca", "operator/identity"])
def test_init_gives_it_nothing_that_is_anothers(attack: Attack, key: str) -> None:
    tried = attack("tried")
    assert isinstance(tried, dict)

    assert {"done": "got"} != tried[key]


# -- the other modules ----------------------------------------------------------------------------


def test_it_cannot_change_the_configuration_over_its_own_certificate(attack: Attack) -> None:
    tried = attack("tried")
    assert isinstance(tried, dict)

    assert {"refused": "PERMISSION_DENIED"} == tried["load"]


@pytest.mark.parametrize("victim", ["mgd", "pfectl0", "jlaunchd"])
def test_anothers_plain_socket_is_closed_to_it_only_by_a_uid(
    router: Router, attack: Attack, own: bool, victim: str
) -> None:
    outcome = attack("connect", path=router.instance.socket(victim))

    # One uid: it can ask for health and reflection, which is all that there is.
    assert own == refused(outcome)


@needs_landlock
def test_mgds_configuration_is_not_its_to_read(router: Router, attack: Attack) -> None:
    assert refused(attack("list", path=router.instance.config_dir))
    assert refused(attack("read", path=router.instance.config_dir / "juniper.conf"))


@needs_landlock
@pytest.mark.parametrize("name", ["plan.json", "journal.jsonl", "config/juniper.conf", "lock"])
def test_it_writes_none_of_the_instances_files(router: Router, attack: Attack, name: str) -> None:
    assert refused(attack("write", path=router.instance.home / name))


@needs_landlock
@pytest.mark.parametrize("where", ["run_dir", "home", "log_dir", "crash_dir", "config_dir"])
def test_it_makes_no_files_but_its_own(router: Router, attack: Attack, where: str) -> None:
    assert refused(attack("create", path=getattr(router.instance, where) / "planted"))


@needs_landlock
def test_it_makes_and_removes_nothing_beside_anothers_sockets(
    router: Router, attack: Attack
) -> None:
    assert refused(attack("create", path=router.instance.run_dir / "mgd" / "planted"))
    assert refused(attack("remove", path=router.instance.rpc_socket("mgd")))


@needs_landlock
@pytest.mark.parametrize("name", ["/etc/passwd", "/etc/hostname", "/proc/1/status"])
def test_the_rest_of_the_machine_is_closed_to_it(attack: Attack, name: str) -> None:
    assert refused(attack("read", path=name))


@needs_scopes
def test_it_reaches_no_abstract_socket(attack: Attack) -> None:
    name = f"jsupervisor-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen()

        assert refused(attack("connect-abstract", address=name))


# -- the kernel -----------------------------------------------------------------------------------


@needs_seccomp
@pytest.mark.parametrize("way", ["execute", "fork", "execute-memory", "leave-grandchild"])
def test_it_starts_no_process_and_no_program(attack: Attack, way: str) -> None:
    assert refused(attack(way))


@needs_seccomp
@pytest.mark.parametrize(
    "family", [socket.AF_INET, socket.AF_INET6, socket.AF_PACKET, socket.AF_NETLINK]
)
def test_it_makes_no_socket_but_of_the_local_kind(attack: Attack, family: int) -> None:
    kind = socket.SOCK_RAW if family in (socket.AF_PACKET, socket.AF_NETLINK) else 1

    assert {"refused": "EAFNOSUPPORT"} == attack("open-socket", family=int(family), type=int(kind))


# -- limits ---------------------------------------------------------------------------------------


def test_it_has_neither_all_memory_nor_all_descriptors(attack: Attack) -> None:
    assert {"refused": "ENOMEM"} == attack("allocate", mb=20_000)
    assert {"refused": "EMFILE"} == attack("open-files", count=2000)


def test_it_raises_no_limit(attack: Attack) -> None:
    assert refused(attack("raise-limit"))


def test_threads_are_limited_only_with_a_uid(attack: Attack, own: bool) -> None:
    # One uid: RLIMIT_NPROC would count whatever the user runs besides.
    assert own == refused(attack("start-threads", count=400))


# -- its end --------------------------------------------------------------------------------------


@pytest.mark.parametrize("uids", [OWN, SHARED])
@pytest.mark.parametrize("groups", ["with cgroups", "without cgroups"])
def test_what_it_leaves_behind_dies_with_it(path: None, uids: str, groups: str) -> None:
    if uids == OWN and not ROOT:
        pytest.skip("needs root")
    if groups == "with cgroups" and not machine.look().groups.kills:
        pytest.skip("no writable cgroup of version 2")
    plan = plan_of(uids == OWN, confine="none")
    wanted = replace(plan.containment, cgroups=groups == "with cgroups")
    with Router.boot(plan=replace(plan, containment=wanted)) as router:
        outcome = router.show("rpd", "leave-grandchild")
        assert isinstance(outcome, dict)
        grandchild = identify(int(str(outcome["done"])))
        assert grandchild is not None
        before = alive(grandchild)
        router.inject("kill", "rpd")
        left = threading.Event()
        for _ in range(500):
            if not alive(grandchild) or left.wait(0.01):
                break

        assert (True, False) == (before, alive(grandchild))


def test_a_kernel_module_is_loaded_by_nobody_and_the_attempt_is_deadly(path: None) -> None:
    if not SECCOMP:
        pytest.skip("no filter for this machine")
    number = {"x86_64": 175, "aarch64": 105}[SECCOMP]
    with Router.boot(plan=plan_of(uids=ROOT)) as router:
        mark = router.mark()
        with pytest.raises(Exception, match="rpd"):
            router.show("rpd", "system-call", number=str(number))
        end = router.wait_for(mark, "rpd", "exit")

        assert f"signal:{signal.SIGSYS.name}" == end.cause
