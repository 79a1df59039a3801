"""Who may call what."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

import pytest

import jprotos
from jprotos.feed.v1 import feed_pb2
from jsupervisor.runtime.callers import (
    ALLOWED,
    OPERATOR,
    WATCH,
    message_refusal,
    method_refusal,
    refusal,
)
from jsupervisor.runtime.names import NAMES

FILES = [
    import_module(module.name).DESCRIPTOR
    for module in walk_packages(jprotos.__path__, "jprotos.")
    if module.name.endswith("_pb2")
]
METHODS = {
    f"/{service.full_name}/{method.name}"
    for file in FILES
    for service in file.services_by_name.values()
    for method in service.methods
}


def test_every_method_there_is_has_a_row_and_every_row_a_method() -> None:
    rows = {right for right in ALLOWED if not right.startswith("feed:")}

    assert len(FILES) >= 6
    assert METHODS - {WATCH} == rows


def test_the_table_names_only_known_executables() -> None:
    assert set() == set().union(*ALLOWED.values()) - NAMES.keys() - {OPERATOR}


@pytest.mark.parametrize("right", ALLOWED)
@pytest.mark.parametrize("caller", [*NAMES, OPERATOR, "", "stranger"])
def test_each_cell_of_the_table(right: str, caller: str) -> None:
    assert (caller in ALLOWED[right]) == (refusal(ALLOWED, right, caller) is None)


def test_the_operator_may_watch_every_feed() -> None:
    feeds = [right for right in ALLOWED if right.startswith("feed:")]

    assert all(OPERATOR in ALLOWED[feed] for feed in feeds)


def test_a_unique_name_has_the_rights_of_its_executable() -> None:
    assert refusal(ALLOWED, "feed:fib", "pfectl3") is None


def test_what_is_not_in_the_table_nobody_may_call() -> None:
    why = refusal(ALLOWED, "/x.Y/Z", OPERATOR)

    assert "cannot let operator use /x.Y/Z: allowed are nobody" == why


def test_a_refusal_is_one_line_that_says_who_may() -> None:
    why = refusal(ALLOWED, "feed:fib", "rpd")

    assert "cannot let rpd use feed:fib: allowed are operator, pfectl" == why


@pytest.mark.parametrize(
    ("caller", "passes"), [("dcd", True), (OPERATOR, True), ("jlaunchd", False), ("", False)]
)
def test_a_watch_passes_for_whom_some_feed_is_open(caller: str, passes: bool) -> None:
    assert passes == (method_refusal(ALLOWED, WATCH, caller) is None)


def test_other_methods_are_judged_by_their_own_row() -> None:
    method = "/jprotos.mgd.v1.Configuration/Load"

    assert method_refusal(ALLOWED, method, OPERATOR) is None
    assert method_refusal(ALLOWED, method, "rpd") is not None


def test_what_changes_the_router_is_for_mgd_and_the_operator() -> None:
    """A daemon that was taken over can command nobody."""
    commands = {
        method
        for method in METHODS
        if method.startswith(("/jprotos.mgd.", "/jprotos.jlaunchd.", "/jprotos.runtime."))
    }
    callers = set().union(*(ALLOWED[method] for method in commands))

    assert {OPERATOR, "mgd", "jlaunchd"} == callers


def test_no_module_but_a_consumer_may_watch_a_feed() -> None:
    feeds = [right for right in ALLOWED if right.startswith("feed:")]

    assert [] == [feed for feed in feeds if "eventd" in ALLOWED[feed] and feed != "feed:config"]
    assert {"pfectl", OPERATOR} == set(ALLOWED["feed:fib"])


@pytest.mark.parametrize(
    ("topic", "caller", "passes"),
    [("fib", "pfectl0", True), ("fib", "dcd", False), ("", "dcd", False), ("x", OPERATOR, False)],
)
def test_a_feed_has_the_row_of_its_topic(topic: str, caller: str, passes: bool) -> None:
    request = feed_pb2.WatchRequest(topic=topic)

    assert passes == (message_refusal(ALLOWED, WATCH, request, caller) is None)


def test_other_messages_say_nothing_about_rights() -> None:
    assert message_refusal(ALLOWED, "/x.Y/Z", object(), "") is None
