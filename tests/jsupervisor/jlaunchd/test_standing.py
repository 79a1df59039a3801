"""Who is restarted by init itself: where it is certain what follows, and nobody else."""

from __future__ import annotations

import pytest

from jsupervisor.initproto import Json
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.core import Supervisor
from jsupervisor.jlaunchd.plan import with_policy
from jsupervisor.jlaunchd.profile import parse_plan

PROGRAMS = """
[profile]
name = "p"
policy = "{policy}"
[program.a]
entry = "m:C"
[program.b]
entry = "m:C"
{more}
"""


class Script:
    """a and b, both up; what init was given last."""

    def __init__(self, more: str = "", policy: str = "junos", of_a: str = "") -> None:
        text = PROGRAMS.format(policy=policy, more=more)
        if of_a:
            text = text.replace('entry = "m:C"', f'entry = "m:C"\n{of_a}', 1)
        self.plan = parse_plan(text, "p.toml")
        self.core = Supervisor(self.plan)
        self.now = 100.0
        self.notice = 0
        self.given: dict[str, int] = {}
        self(m.StartAll())
        for name in ("a", "b", "a"):
            if self.core.modules[name].state is State.STARTING:
                self.up(name)

    def __call__(self, event: m.Event) -> list[m.Command]:
        """What the core commands."""
        commands = self.core.handle(event, m.Instant(self.now, ""))
        for command in commands:
            if isinstance(command, m.SaveRecord):
                self.given[command.name] = command.standing
        return commands

    def up(self, name: str) -> None:
        """Its newest incarnation is."""
        number = self.core.modules[name].incarnation
        self(m.Claimed(name, number, number))
        self(m.Reported(name, number, "ready", self.now))

    def die(self, name: str, *, succeeded: bool = True) -> list[m.Command]:
        """It dies; init does what it was told to."""
        self.notice += 1
        successor = self.given.get(name, 0) if succeeded else 0
        return self(
            m.Exited(
                name=name,
                incarnation=self.core.modules[name].incarnation,
                pid=1,
                cause="exit:1",
                at=self.now,
                notice=self.notice,
                successor=successor,
            )
        )

    def wait(self, seconds: float) -> None:
        """Time passes."""
        end = self.now + seconds
        while (deadline := self.core.deadline) is not None and deadline <= end:
            self.now = max(deadline, self.now)
            self(m.DeadlineReached())
        self.now = end


def test_who_is_up_is_restarted_by_init_and_nothing_is_launched() -> None:
    script = Script()
    given = dict(script.given)
    commands = script.die("a")
    module = script.core.modules["a"]

    assert {"a": 2, "b": 2} == given
    assert [] == [command for command in commands if isinstance(command, m.Launch)]
    assert (State.STARTING, 2, 1) == (module.state, module.incarnation, module.restarts)
    assert ["restart in 0 ms"] == [c.next for c in commands if isinstance(c, m.Emit)]
    script.up("a")
    assert {"a": 3, "b": 2} == script.given


def test_the_failure_after_which_it_is_given_up_has_no_order() -> None:
    script = Script()
    for _ in range(3):
        script.die("a")
        script.up("a")

    assert 0 == script.given["a"]
    script.wait(29.0)
    assert 0 == script.given["a"]
    script.wait(2.0)
    assert 5 == script.given["a"]
    script.die("a")
    assert State.STARTING is script.core.modules["a"].state


@pytest.mark.parametrize(
    ("policy", "given"), [("junos", 2), ("erlang", 2), ("systemd", 0), ("never-give-up", 2)]
)
def test_a_first_failure_without_delay_is_certain(policy: str, given: int) -> None:
    assert given == Script(policy=policy).given["a"]


def test_after_a_failure_with_back_off_it_is_certain_again_when_it_has_been_healthy() -> None:
    script = Script(policy="never-give-up")
    script.die("a")
    script.up("a")

    assert 0 == script.given["a"]
    script.wait(0.9)
    assert 0 == script.given["a"]
    script.wait(0.2)
    assert 3 == script.given["a"]


@pytest.mark.parametrize(
    ("more", "of_a"),
    [
        ("", 'restart = "transient"'),
        ("", 'restart = "temporary"'),
        ('requires = ["a"]\nfollows = ["a"]', ""),
        ('[group.g]\nmembers = ["a", "b"]\nstrategy = "one_for_all"', ""),
        ('[group.g]\nmembers = ["b", "a"]\nstrategy = "rest_for_one"', ""),
        (
            '[group.i]\nmembers=["a"]\n[group.g]\nmembers=["b","i"]\nstrategy="rest_for_one"',
            "",
        ),
        ("", "policy = { intensity = 0 }"),
    ],
)
def test_who_may_not_restart_alone_and_at_once_has_no_order(more: str, of_a: str) -> None:
    assert 0 == Script(more, of_a=of_a).given["a"]


PAIR = '[group.g]\nmembers = ["a", "b"]\nintensity = 2\nperiod = 30'


def test_the_last_failure_that_a_group_forgives_takes_back_the_orders_of_its_members() -> None:
    script = Script(PAIR)
    seen: list[Json] = []
    for _ in range(2):
        script.die("a")
        script.up("a")
        seen.append([script.given["a"], script.given["b"]])

    assert [[3, 2], [0, 0]] == seen
    script.wait(31.0)
    assert {"a": 4, "b": 2} == script.given


def test_another_policy_takes_orders_back_and_gives_them_anew() -> None:
    script = Script()
    commands = script(m.PlanChanged(with_policy(script.plan, "systemd", "a")))

    assert {"a": 0, "b": 2} == script.given
    assert ["a", "b"] == [c.name for c in commands if isinstance(c, m.SaveRecord)]


@pytest.mark.parametrize(
    "event",
    [
        m.StopRequested("a"),
        m.RestartRequested("a", m.How.GRACEFULLY),
        m.HeartbeatLost("a", 1),
        m.StopAll(),
    ],
)
def test_an_order_is_taken_back_before_anything_is_done_to_the_program(event: m.Event) -> None:
    script = Script()
    commands = [c for c in script(event) if getattr(c, "name", "a") == "a"]
    first = next(c for c in commands if isinstance(c, m.SaveRecord | m.SendSignal))

    assert isinstance(first, m.SaveRecord)
    assert 0 == first.standing == script.given["a"]


def test_who_fails_just_when_it_is_stopped_has_its_successor_stopped() -> None:
    script = Script()
    script(m.StopRequested("a"))
    script.given["a"] = 2  # init had not heard of it yet
    died = script.die("a")
    claimed = script(m.Claimed("a", 2, 2))
    script.given["a"] = 0
    script.die("a")
    module = script.core.modules["a"]

    assert [] == [c for c in died if isinstance(c, m.SendSignal | m.Launch)]
    assert [2] == [c.incarnation for c in claimed if isinstance(c, m.SendSignal)]
    assert (State.DOWN, 2, False) == (module.state, module.incarnation, module.wanted)


def test_who_fails_once_too_often_just_when_that_became_so_has_its_successor_held() -> None:
    script = Script()
    script(m.PlanChanged(with_policy(script.plan, "erlang", "a")))
    script.die("a")
    script.up("a")
    assert 0 == script.given["a"]
    script.given["a"] = 3  # init had not heard of it yet
    died = script.die("a")
    script(m.Claimed("a", 3, 3))
    script.given["a"] = 0
    script.die("a")
    module = script.core.modules["a"]

    assert ["a is thrashing, not restarted"] == [
        c.text for c in died if isinstance(c, m.RaiseAlarm)
    ]
    assert (State.FAILED, 3) == (module.state, module.incarnation)
