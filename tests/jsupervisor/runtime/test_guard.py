"""Before a call: the caller by its certificate, the table, and only then the message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import grpc
import pytest
import trio

from jprotos.feed.v1 import feed_pb2
from jprotos.mgd.v1 import mgd_pb2, mgd_pb2_grpc
from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.runtime.callers import ALLOWED, WATCH
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import client_to, make_order, run_daemon
from jsupervisor.runtime.guard import QUIET, CallerCheck
from jsupervisor.runtime.rpc import RpcError, Seam

LOAD = "/jprotos.mgd.v1.Configuration/Load"
WRITE = "/jprotos.eventd.v1.Log/Write"
TAIL = "/jprotos.eventd.v1.Log/Tail"


class Aborted(Exception):
    """What a context raises."""


@dataclass
class Context:
    """A call by somebody with a certificate, or without."""

    uri: str = ""
    code: grpc.StatusCode | None = None
    text: str = ""

    def auth_context(self) -> dict[str, list[bytes]]:
        return {"peer_uri": [self.uri.encode()]} if self.uri else {}

    def abort(self, code: grpc.StatusCode, text: str) -> NoReturn:
        self.code, self.text = code, text
        raise Aborted


@dataclass
class Rig:
    """A check with a clock of its own, in front of handlers that note what reaches them."""

    now: float = 0.0
    told: list[str] = field(default_factory=list)
    decoded: list[bytes] = field(default_factory=list)
    handled: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.check = CallerCheck(ALLOWED, "left", lambda: self.now, self.told.append)

    def decode(self, data: bytes) -> Any:
        self.decoded.append(data)
        if data == b"garbage":
            raise ValueError("not a message")
        return SimpleNamespace(topic=data.decode())

    def call(self, method: str, data: bytes, caller: str, instance: str = "left") -> Context:
        """One unary call."""

        def handle(request: Any, context: Context) -> bytes:
            self.handled.append(request.topic)
            return b"ok"

        handler: Any = grpc.unary_unary_rpc_method_handler(handle, self.decode)
        guarded = self.guarded(handler, method)
        context = Context(f"spiffe://jsupervisor/{instance}/{caller}" if caller else "")
        try:
            assert b"ok" == guarded.unary_unary(data, context)
        except Aborted:
            pass
        return context

    def guarded(self, handler: object, method: str) -> Any:
        details = SimpleNamespace(method=method, invocation_metadata=(("jsup-caller", "operator"),))
        return self.check.intercept_service(lambda _: handler, details)


def test_who_may_is_served() -> None:
    rig = Rig()

    assert rig.call(LOAD, b"text", "operator").code is None
    assert ["text"] == rig.handled


@pytest.mark.parametrize(
    ("caller", "instance"),
    [("rpd", "left"), ("stranger", "left"), ("", "left"), ("operator", "right")],
)
def test_who_may_not_is_refused_before_its_message_is_decoded(caller: str, instance: str) -> None:
    rig = Rig()
    context = rig.call(LOAD, b"text", caller, instance)

    assert grpc.StatusCode.PERMISSION_DENIED == context.code
    assert context.text.startswith("cannot let ")
    assert [context.text] == rig.told
    assert ([], []) == (rig.decoded, rig.handled)


def test_what_a_caller_says_of_itself_counts_for_nothing() -> None:
    rig = Rig()  # its calls all carry metadata that claims the operator's name

    assert grpc.StatusCode.PERMISSION_DENIED == rig.call(LOAD, b"text", "rpd").code


@pytest.mark.parametrize(("topic", "served"), [("fib", True), ("config", True), ("links", False)])
def test_a_feed_is_judged_by_the_topic_in_the_message(topic: str, served: bool) -> None:
    rig = Rig()
    context = rig.call(WATCH, topic.encode(), "pfectl0")

    assert served == (context.code is None)
    assert ([topic] if served else []) == rig.handled


def test_who_may_watch_nothing_is_not_asked_what() -> None:
    rig = Rig()

    assert grpc.StatusCode.PERMISSION_DENIED == rig.call(WATCH, b"fib", "jlaunchd").code
    assert [] == rig.decoded


def test_garbage_of_who_may_is_refused_in_one_line() -> None:
    rig = Rig()
    context = rig.call(LOAD, b"garbage", "operator")

    assert (grpc.StatusCode.INVALID_ARGUMENT, "cannot read the request") == (
        context.code,
        context.text,
    )


def test_who_keeps_knocking_is_told_of_once_in_a_while() -> None:
    rig = Rig()
    for rig.now in (0.0, 1.0, QUIET - 0.1, QUIET, QUIET + 1.0):
        rig.call(LOAD, b"", "rpd")
    rig.call(LOAD, b"", "dcd")
    rig.call(TAIL, b"", "rpd")

    assert 4 == len(rig.told)


@pytest.mark.parametrize(("caller", "served"), [("rpd", True), ("operator", False)])
def test_a_stream_of_requests_is_guarded_too(caller: str, served: bool) -> None:
    rig = Rig()

    def handle(requests: Iterator[Any], context: Context) -> bytes:
        rig.handled.extend(request.topic for request in requests)
        return b"ok"

    handler: Any = grpc.stream_unary_rpc_method_handler(handle, rig.decode)
    context = Context(f"spiffe://jsupervisor/left/{caller}")
    try:
        rig.guarded(handler, WRITE).stream_unary(iter([b"a", b"b"]), context)
    except Aborted:
        pass

    assert (["a", "b"] if served else []) == rig.handled
    assert served == (context.code is None)


def test_a_method_that_is_not_there_stays_so() -> None:
    assert Rig().guarded(None, "/x.Y/Z") is None


class Mgd(Daemon):
    """Takes every configuration."""

    loads = 0

    def services(self, seam: Seam, server: grpc.Server) -> None:
        def load(request: mgd_pb2.LoadRequest, context: grpc.ServicerContext) -> Any:
            self.loads += 1
            return mgd_pb2.LoadReply(revision=1)

        handler: Any = grpc.unary_unary_rpc_method_handler(
            load, mgd_pb2.LoadRequest.FromString, mgd_pb2.LoadReply.SerializeToString
        )
        service, _, name = LOAD.removeprefix("/").partition("/")
        generic = grpc.method_handlers_generic_handler(service, {name: handler})
        server.add_generic_rpc_handlers((generic,))


async def test_a_refusal_is_counted_and_logged_by_the_module_that_refused(run_dir: Path) -> None:
    async with run_daemon(Mgd(make_order(run_dir, "mgd"))) as mgd:
        await mgd.ready.wait()
        load = mgd_pb2_grpc.ConfigurationStub(mgd.client("rpd").channel).Load
        operator = mgd.client("operator")
        for _ in range(3):
            with pytest.raises(RpcError, match="cannot let rpd use") as caught:
                await mgd.client("rpd").unary(load, mgd_pb2.LoadRequest(text="x"), timeout=5)
        stats = runtime_pb2_grpc.RuntimeStub(operator.channel).Stats
        reply = await operator.unary(stats, runtime_pb2.StatsRequest(), timeout=5)
        while not (lines := [r for r in mgd.records if r.tag == "RPC_REFUSED"]):
            await trio.sleep(0.001)

    assert grpc.StatusCode.PERMISSION_DENIED == caught.value.code
    assert {("PERMISSION_DENIED", 3)} == {
        (count.code, count.handled) for count in reply.rpcs if count.method == LOAD
    }
    assert [f"cannot let rpd use {LOAD}: allowed are operator"] == [r.text for r in lines]
    assert 0 == mgd.daemon.loads


async def test_a_feed_that_is_not_open_to_a_caller_is_refused(run_dir: Path) -> None:
    async with run_daemon(Daemon(make_order(run_dir, "mgd"))):
        client = client_to(run_dir, "mgd", "alarmd")
        watch: grpc.UnaryStreamMultiCallable[feed_pb2.WatchRequest, feed_pb2.Update] = (
            client.channel.unary_stream(
                WATCH,
                feed_pb2.WatchRequest.SerializeToString,
                feed_pb2.Update.FromString,
            )
        )
        with pytest.raises(RpcError, match="cannot let alarmd use feed:fib") as caught:
            async with client.stream(watch, feed_pb2.WatchRequest(topic="fib")) as updates:
                async for _ in updates:
                    pass
        await client.aclose()

    assert grpc.StatusCode.PERMISSION_DENIED == caught.value.code
