"""Programs that are not ours: readiness, failures, signs of life, and the death of the supervisor."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jsupervisor.boot import make_programs_plan
from jsupervisor.observer.operator import Operator
from jsupervisor.observer.processes import descendants
from jsupervisor.testing import Router

pytestmark = pytest.mark.system

Supervise = Callable[..., Router]

NOTIFY = """
import os, socket, sys, time
out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
address = os.environ["NOTIFY_SOCKET"].replace("@", "\\0", 1)
for word in sys.argv[1:]:
    out.sendto(word.encode(), address)
while True:
    if "beat" in sys.argv:
        out.sendto(b"WATCHDOG=1", address)
    time.sleep(0.05)
"""


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    """Starts a file of programs; with `wait`, all are ready."""
    with ExitStack() as stack:

        def start(text: str, *, wait: bool = True) -> Router:
            notify = tmp_path / "notify.py"
            notify.write_text(NOTIFY, encoding="utf-8")
            file = tmp_path / "programs.toml"
            file.write_text(
                text.replace("NOTIFY", f'"{sys.executable}", "{notify}"'), encoding="utf-8"
            )
            return stack.enter_context(Router.boot(plan=make_programs_plan(str(file)), wait=wait))

        yield start


def test_a_program_is_ready_when_it_says_so_and_what_requires_it_waits(
    supervise: Supervise,
) -> None:
    router = supervise(
        '[program.late]\ncommand = ["sh", "-c", "sleep 0.2; echo >&7; exec sleep 999"]\n'
        'readiness = "fd:7"\n'
        '[program.after]\ncommand = ["sleep", "999"]\nrequires = ["late"]\n'
    )
    router.wait_for(0, "after", "ready")
    told = [(e.name, e.event) for e in router.events() if e.name in ("late", "after")]

    assert [
        ("late", "start"),
        ("late", "ready"),
        ("after", "start"),
        ("after", "ready"),
    ] == told


def test_one_that_never_says_so_stays_starting_and_is_dumped_at_last(supervise: Supervise) -> None:
    router = supervise(
        '[program.mute]\ncommand = ["sh", "-c", "exec 3>&-; exec sleep 999"]\nreadiness = "fd:3"\n'
        "start_timeout = 0.3\n",
        wait=False,
    )

    assert "start-timeout" == router.wait_for(0, "mute", "exit").cause


def test_datagrams_of_the_program_or_its_children_count_and_nobody_elses(
    supervise: Supervise,
) -> None:
    router = supervise(
        '[program.mother]\ncommand = ["sh", "-c", "$0 $1 READY=1 & wait", NOTIFY]\n'
        'readiness = "notify"\n'
        '[program.garbage]\ncommand = [NOTIFY, "", "READY", "=\\u0001", "READY=1"]\n'
        'readiness = "notify"\n'
    )

    assert ["up", "up"] == [module.state for module in router.status().modules]


def test_a_program_without_signs_of_life_is_replaced(supervise: Supervise) -> None:
    router = supervise(
        '[program.alive]\ncommand = [NOTIFY, "READY=1", "beat"]\nreadiness = "notify"\n'
        "heartbeat = 0.2\n"
    )
    before = router.status().find("alive").pid
    assert before is not None
    mark = router.mark()
    os.kill(before, signal.SIGSTOP)

    assert "hang" == router.wait_for(mark, "alive", "exit").cause
    router.wait_for(mark, "alive", "ready")


@pytest.mark.parametrize(
    ("keys", "cause"),
    [
        ('command = ["/no/such"]', "exec:No such file or directory: /no/such"),
        ('command = ["/"]', "exec:Permission denied: /"),
        ('command = ["sleep", "9"]\ncwd = "/no/such"', "exec:No such file or directory: /no/such"),
        ('command = ["sleep", "9"]\nuser = "no-such-user"', "exec:there is no user 'no-such-user'"),
        ('command = ["sh", "-c", "exit 7"]', "exit:7"),
    ],
)
def test_what_cannot_run_is_given_up_with_its_reason(
    supervise: Supervise, keys: str, cause: str
) -> None:
    router = supervise(f"[program.bad]\n{keys}\n", wait=False)
    router.wait_for(0, "bad", "thrash")

    assert cause == router.status().find("bad").last_cause


def test_what_a_program_writes_is_in_its_log_and_what_it_started_dies_with_it(
    supervise: Supervise,
) -> None:
    router = supervise(
        '[program.noisy]\ncommand = ["sh", "-c", "echo hello; setsid sleep 4711 & '
        'echo >&3; wait"]\nreadiness = "fd:3"\n'
    )
    while not (first := sleepers(router)):
        router.watcher.wait_next(0.01)
    mark = router.mark()
    with Operator(router.instance) as operator:
        operator.inject("noisy", "kill")
    router.wait_for(mark, "noisy", "ready")

    assert "hello\nhello\n" == (router.instance.log_dir / "noisy.log").read_text()
    assert 1 == len(first)
    assert set() == first & sleepers(router)


def sleepers(router: Router) -> set[int]:
    """Who sleeps for 4711 seconds."""
    found = set()
    for process in descendants(router.init.pid):
        try:
            command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        except OSError:
            continue
        if command == b"sleep\x004711\x00":
            found.add(process.pid)
    return found


def test_the_death_of_the_supervisor_loses_and_doubles_nobody(supervise: Supervise) -> None:
    count = 30
    router = supervise(
        "".join(f'[program.p{n}]\ncommand = ["sleep", "999"]\n' for n in range(count))
    )
    for round_ in range(5):
        mark = router.mark()
        with Operator(router.instance) as operator:
            operator.inject(f"p{round_}", "kill")
            operator.inject("jlaunchd", "kill")
        router.wait_for(mark, "jlaunchd", "ready")
        router.wait_ready()
    names = Counter(
        Path(f"/proc/{process.pid}/environ").read_bytes().count(b"JSUPERVISOR_PROGRAM=p")
        for process in descendants(router.init.pid)
    )

    assert count == names[1]
    restarts = [module.restarts for module in router.status().modules]
    assert [1] * 5 + [0] * (count - 5) == restarts
