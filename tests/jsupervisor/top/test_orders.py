"""What is ordered from the screen, at a real instance."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from jsupervisor.paths import Instance
from jsupervisor.testing import Router
from jsupervisor.top.link import Link
from jsupervisor.top.model import Kind, Row
from jsupervisor.top.orders import OrderError, Orders, refusal

MODULE = Row(name="rpd", kind=Kind.MODULE)
GROUP = Row(name="routing", kind=Kind.GROUP)
JLAUNCHD = Row(name="jlaunchd", kind=Kind.KEEPER)
INIT = Row(name="init", kind=Kind.KEEPER)


@pytest.fixture
def orders(router: Router) -> Iterator[Orders]:
    link = Link(router.instance)
    yield Orders(router.instance, link)
    link.close()


@pytest.mark.parametrize(
    ("verb", "row"),
    [
        ("restart", MODULE),
        ("stop", MODULE),
        ("start", MODULE),
        ("inject a fault into", MODULE),
        ("inject a fault into", JLAUNCHD),
        ("set the policy of", MODULE),
        ("set the policy of", GROUP),
    ],
)
def test_what_can_be_done_is_not_refused(verb: str, row: Row) -> None:
    assert "" == refusal(verb, row)


@pytest.mark.parametrize(
    ("verb", "row", "why"),
    [
        ("restart", None, "cannot restart: there is no module under the cursor"),
        ("restart", GROUP, "cannot restart routing: it is a group; choose one of its modules"),
        ("stop", JLAUNCHD, "cannot stop jlaunchd: it is no module; K injects a fault"),
        ("set the policy of", INIT, "cannot set the policy of init: it is no module"),
        ("inject a fault into", GROUP, "cannot inject a fault into routing: it is a group"),
        ("inject a fault into", INIT, "cannot inject a fault into init from here"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(verb: str, row: Row | None, why: str) -> None:
    assert refusal(verb, row).startswith(why)


@pytest.mark.system
def test_each_order_tells_what_came_of_it(orders: Orders, router: Router) -> None:
    before = router.processes()
    lines = [
        orders.restart("rpd", "immediately"),
        orders.restart("dcd", "soft"),
        orders.set_policy("routing", "never-give-up"),
    ]
    after = router.processes()
    mark = router.mark()
    lines.append(orders.stop("dcd"))
    router.wait_for(mark, "dcd", "exit")
    lines.append(orders.start("dcd"))
    router.wait_for(mark, "dcd", "ready")

    assert before["rpd"] != after["rpd"]
    assert before["dcd"] == after["dcd"]
    assert lines[0].startswith(f"rpd: restarted immediately, pid {after['rpd'].pid}, incarnation ")
    assert lines[1].startswith(f"dcd: soft reset, pid {after['dcd'].pid}, incarnation ")
    assert ["policy of rpd, dcd: never-give-up", "dcd: to stop", "dcd: to run"] == lines[2:]


@pytest.mark.system
def test_a_fault_is_sent_by_init(orders: Orders, router: Router) -> None:
    pid = router.processes()["jlaunchd"].pid
    mark = router.mark()
    line = orders.inject("jlaunchd", "kill")
    router.wait_for(mark, "jlaunchd", "ready")

    assert f"kill sent to jlaunchd, pid {pid}" == line


@pytest.mark.system
@pytest.mark.parametrize(
    ("order", "why"),
    [
        (lambda orders: orders.restart("bgpd", "gracefully"), "cannot find module 'bgpd'"),
        (lambda orders: orders.stop("bgpd"), "cannot find module 'bgpd'"),
        (lambda orders: orders.start("bgpd"), "cannot find module 'bgpd'"),
        (lambda orders: orders.set_policy("rpd", "nice"), "cannot use policy 'nice'"),
        (lambda orders: orders.inject("bgpd", "kill"), "cannot inject kill into bgpd"),
    ],
)
def test_a_refused_order_is_one_line(
    orders: Orders, order: Callable[[Orders], str], why: str
) -> None:
    with pytest.raises(OrderError, match=why):
        order(orders)


def test_without_an_instance_a_fault_has_no_way(router: Router) -> None:
    nobody = Instance("none", router.instance.home, router.instance.run_dir / "none")

    with pytest.raises(OrderError, match="cannot reach instance none"):
        Orders(nobody, Link(nobody)).inject("rpd", "kill")
