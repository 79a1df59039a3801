"""Problems as messages, and calls carried into the loop."""

from __future__ import annotations

import grpc
import trio

from jdaemons.mgd.services import ConfigurationServicer, write_problem
from jdaemons.mgd.syntax import Place, Problem
from jprotos.mgd.v1 import mgd_pb2 as pb
from jprotos.mgd.v1 import mgd_pb2_grpc
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import make_order, run_daemon, short_run_dir
from jsupervisor.runtime.rpc import Seam


def test_a_problem_without_a_place_stands_at_0() -> None:
    assert pb.Problem(line=3, column=7, message="x") == write_problem(Problem(Place(3, 7), "x"))
    assert pb.Problem(line=0, column=0, message="x") == write_problem(Problem(None, "x"))


class Echo:
    """Answers with what it was asked, from within the loop."""

    async def check(self, request: pb.CheckRequest) -> pb.CheckReply:
        await trio.lowlevel.checkpoint()
        return pb.CheckReply(problems=[pb.Problem(message=request.text)])

    async def load(self, request: pb.LoadRequest) -> pb.LoadReply:
        await trio.lowlevel.checkpoint()
        return pb.LoadReply(problems=[pb.Problem(message=f"{request.user}: {request.text}")])

    async def show(self, request: pb.ShowRequest) -> pb.ShowReply:
        await trio.lowlevel.checkpoint()
        return pb.ShowReply(text="shown")


class Server(Daemon):
    def services(self, seam: Seam, server: grpc.Server) -> None:
        servicer = ConfigurationServicer(seam, Echo())
        mgd_pb2_grpc.add_ConfigurationServicer_to_server(servicer, server)


async def test_each_call_reaches_its_operation() -> None:
    with short_run_dir() as run_dir:
        async with run_daemon(Server(make_order(run_dir, "mgd"))) as running:
            client = running.client()
            stub = mgd_pb2_grpc.ConfigurationStub(client.channel)
            checked = await client.unary(stub.Check, pb.CheckRequest(text="a"), timeout=5)
            loaded = await client.unary(stub.Load, pb.LoadRequest(text="b", user="c"), timeout=5)
            shown = await client.unary(stub.Show, pb.ShowRequest(), timeout=5)

    assert "a" == checked.problems[0].message
    assert "c: b" == loaded.problems[0].message
    assert "shown" == shown.text
