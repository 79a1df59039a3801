"""FPCs come online when they are heard; nothing that falls silent is taken away."""

from __future__ import annotations

import pytest

from jdaemons.chassisd.core import Core
from jdaemons.chassisd.events import DeadlinePassed, FpcChanged, LinksHeard, Publish, Settled
from jdaemons.chassisd.fpc import FpcState
from jsupervisor.runtime.chassis import PortPlace


def place(fpc: int, port: int) -> PortPlace:
    name = f"ge-{fpc}/0/{port}"
    return PortPlace(name=name, fpc=fpc, pic=0, port=port, index=port, speed=10**9)


A, B, C = place(1, 0), place(1, 1), place(2, 0)
ONLINE = [FpcChanged(1, "Announce online"), FpcChanged(1, "Online")]


def core() -> Core:
    return Core({1: [A, B], 2: [C]}, slots=4)


def online() -> Core:
    running = core()
    running.handle(LinksHeard(1, {A.name: True}))
    running.handle(LinksHeard(2, {C.name: True}))
    return running


def test_before_anything_is_heard_fpcs_are_present_and_other_slots_empty() -> None:
    assert {
        0: FpcState.EMPTY,
        1: FpcState.PRESENT,
        2: FpcState.PRESENT,
        3: FpcState.EMPTY,
    } == core().states


def test_an_fpc_that_is_heard_comes_online_with_all_its_ports() -> None:
    commands = core().handle(LinksHeard(1, {A.name: True, "other": True}))

    assert [*ONLINE, Publish(A, True), Publish(B, False)] == commands


def test_the_chassis_is_settled_once_when_the_last_fpc_is_online() -> None:
    running = core()
    first = running.handle(LinksHeard(1, {}))
    last = running.handle(LinksHeard(2, {}))
    later = running.handle(LinksHeard(2, {C.name: True}))

    assert (False, True, False) == tuple(Settled() in each for each in (first, last, later))
    assert [] == running.waiting


def test_a_chassis_without_fpcs_is_settled_by_the_deadline() -> None:
    assert [Settled()] == Core({}, slots=2).handle(DeadlinePassed())


def test_an_fpc_that_is_not_heard_in_time_is_offline_and_its_ports_are_not_there() -> None:
    running = core()
    running.handle(LinksHeard(1, {A.name: True}))
    commands = running.handle(DeadlinePassed())

    assert [FpcChanged(2, "Offline"), Settled()] == commands
    assert [] == running.handle(DeadlinePassed())


def test_an_fpc_that_is_heard_late_comes_online_after_all() -> None:
    running = core()
    running.handle(DeadlinePassed())
    commands = running.handle(LinksHeard(2, {C.name: True}))

    assert [
        FpcChanged(2, "Announce online"),
        FpcChanged(2, "Online"),
        Publish(C, True),
    ] == commands


def test_a_link_that_changes_is_published_and_no_other() -> None:
    running = online()

    assert [Publish(B, True)] == running.handle(LinksHeard(1, {A.name: True, B.name: True}))
    assert [Publish(A, False)] == running.handle(LinksHeard(1, {A.name: False}))
    assert [] == running.handle(LinksHeard(1, {A.name: False}))


def test_a_link_that_is_withdrawn_is_down() -> None:
    assert [Publish(A, False)] == online().handle(LinksHeard(1, {}, frozenset((A.name,))))


def test_what_is_not_mentioned_stays_as_it_was() -> None:
    running = online()

    assert [] == running.handle(LinksHeard(1, {}))
    assert running.links[A.name]


def test_the_deadline_does_nothing_to_an_fpc_that_is_online() -> None:
    running = online()

    assert [] == running.handle(DeadlinePassed())
    assert FpcState.ONLINE is running.states[1]


def test_links_of_an_fpc_that_the_profile_does_not_list_are_a_mistake() -> None:
    with pytest.raises(KeyError):
        core().handle(LinksHeard(7, {}))
