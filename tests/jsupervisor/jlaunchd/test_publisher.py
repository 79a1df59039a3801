"""What init is told of modules: all that `status` shows, when it has changed, and no more."""

from __future__ import annotations

from jsupervisor.initproto import Message
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.core import Supervisor
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.jlaunchd.publisher import Publisher, speaker

TEXT = """
[profile]
name = "p"
[program.a]
entry = "m:C"
[program.b]
entry = "m:C"
requires = ["a"]
stage = "lean"
[group.g]
members = ["b"]
"""


class Board:
    """A core whose every event is published."""

    def __init__(self) -> None:
        self.plan: Plan = parse_plan(TEXT, "p.toml")
        self.core = Supervisor(self.plan)
        self.sent: list[Message] = []
        self.publisher = Publisher(self.core, "/run/p", self._take)

    def _take(self, message: Message) -> None:
        modules = message["modules"]
        assert isinstance(modules, list)
        self.sent += modules

    def __call__(self, event: m.Event) -> list[Message]:
        """What is said after the event."""
        self.sent = []
        commands = self.core.handle(event, m.Instant(7.0, "now"))
        self.publisher.after(event, commands, self.plan, 7.0)
        return self.sent

    def module(self, name: str) -> Module:
        """The core's."""
        return self.core.modules[name]


def test_everything_is_said_once() -> None:
    board = Board()
    board.publisher.everything(board.plan, 7.0)
    first = list(board.sent)
    board.publisher.everything(board.plan, 7.0)

    assert ["a", "b"] == [said["name"] for said in first]
    assert first == board.sent
    assert (None, "g") == (first[0]["group"], first[1]["group"])


def test_only_who_changed_is_said_and_who_waits_says_for_whom() -> None:
    board = Board()
    started = board(m.StartAll())
    claimed = board(m.Claimed("a", 1, 100))
    ready = board(m.Reported("a", 1, "ready", 7.0))

    assert [("a", "starting", []), ("b", "down", ["a"])] == [
        (said["name"], said["state"], said["waits_for"]) for said in started
    ]
    assert [("a", 100)] == [(said["name"], said["pid"]) for said in claimed]
    assert [("a", "up"), ("b", "starting")] == [(said["name"], said["state"]) for said in ready]
    assert "now" == ready[0]["ready_at"]


def test_who_is_forgotten_is_said_again_when_it_comes_back() -> None:
    board = Board()
    board.publisher.everything(board.plan, 7.0)
    board.sent = []
    board.publisher.forget("a")
    board.publisher.everything(board.plan, 7.0)

    assert ["a"] == [said["name"] for said in board.sent]


def test_sockets_speak_for_modules_of_the_full_stage() -> None:
    board = Board()
    board.publisher.everything(board.plan, 7.0)

    assert [True, False] == [said["socket"] is not None for said in board.sent]
    assert ["a", None] == [speaker(board.plan, board.module(name)) for name in "ab"]
