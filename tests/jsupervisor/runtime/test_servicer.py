"""What every module answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import grpc
import pytest

from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.initproto import Json
from jsupervisor.runtime.daemon import Daemon, Query, QueryError
from jsupervisor.runtime.fakes import RunningDaemon, make_order, run_daemon
from jsupervisor.runtime.rpc import RpcError


def routes(arguments: Mapping[str, str]) -> Json:
    if "destination" not in arguments:
        raise QueryError("cannot look up a route without a destination")
    return {"route-information": [{"rt-destination": arguments["destination"]}]}


class Rpd(Daemon):
    def operational(self) -> Mapping[str, Query]:
        return {"route-information": routes}


async def get(rpd: RunningDaemon[Rpd], name: str, **arguments: str) -> Json:
    client = rpd.client()
    request = runtime_pb2.GetRequest(name=name, arguments=arguments)
    method = runtime_pb2_grpc.RuntimeStub(client.channel).Get
    answer: Json = json.loads((await client.unary(method, request, timeout=5)).json)
    return answer


async def test_operational_data_is_json(run_dir: Path) -> None:
    async with run_daemon(Rpd(make_order(run_dir, "rpd"))) as rpd:
        answer = await get(rpd, "route-information", destination="192.0.2.0/24")

    assert {"route-information": [{"rt-destination": "192.0.2.0/24"}]} == answer


async def test_arguments_that_cannot_be_used_are_refused(run_dir: Path) -> None:
    async with run_daemon(Rpd(make_order(run_dir, "rpd"))) as rpd:
        with pytest.raises(RpcError, match="without a destination") as caught:
            await get(rpd, "route-information")

    assert grpc.StatusCode.INVALID_ARGUMENT == caught.value.code


async def test_an_unknown_name_is_answered_with_those_known(run_dir: Path) -> None:
    async with run_daemon(Rpd(make_order(run_dir, "rpd"))) as rpd:
        with pytest.raises(RpcError, match="'nonsense': this module knows route-information"):
            await get(rpd, "nonsense")


async def test_a_heartbeat_says_when_thread_and_loop_had_their_turn(run_dir: Path) -> None:
    async with run_daemon(Rpd(make_order(run_dir, "rpd", incarnation=5))) as rpd:
        client = rpd.client("jlaunchd")
        method = runtime_pb2_grpc.RuntimeStub(client.channel).Heartbeat
        reply = await client.unary(method, runtime_pb2.HeartbeatRequest(number=9), timeout=5)

    assert (9, 5) == (reply.number, reply.incarnation)
    assert reply.thread_ns <= reply.loop_ns


async def test_the_calls_that_were_served_can_be_counted_from_outside(run_dir: Path) -> None:
    async with run_daemon(Rpd(make_order(run_dir, "rpd"))) as rpd:
        await rpd.ready.wait()
        await get(rpd, "route-information", destination="192.0.2.0/24")
        with pytest.raises(RpcError):
            await get(rpd, "nonsense")
        method = runtime_pb2_grpc.RuntimeStub(rpd.client().channel).Stats
        stats = await rpd.client().unary(method, runtime_pb2.StatsRequest(), timeout=5)

    counted = {(count.method, count.code): count.handled for count in stats.rpcs}
    method_name = "/jprotos.runtime.v1.Runtime/Get"

    assert {(method_name, "OK"): 1, (method_name, "NOT_FOUND"): 1} == counted
    assert 1 == stats.rpcs_in_flight  # the question itself
