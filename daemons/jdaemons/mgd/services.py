"""The gRPC service of mgd: thin, the shell answers."""

from __future__ import annotations

from typing import Protocol

import grpc

from jdaemons.mgd.syntax import Problem
from jprotos.mgd.v1 import mgd_pb2 as pb
from jprotos.mgd.v1 import mgd_pb2_grpc
from jsupervisor.runtime.rpc import Seam


class Operations(Protocol):
    """What the shell offers."""

    async def check(self, request: pb.CheckRequest) -> pb.CheckReply:
        """Say what is wrong with a text."""

    async def load(self, request: pb.LoadRequest) -> pb.LoadReply:
        """Make a text the configuration."""

    async def show(self, request: pb.ShowRequest) -> pb.ShowReply:
        """The configuration in force."""


class ConfigurationServicer(mgd_pb2_grpc.ConfigurationServicer):
    """Carries calls into the loop."""

    def __init__(self, seam: Seam, operations: Operations) -> None:
        self._seam = seam
        self._operations = operations

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.check, request)

    def Load(self, request: pb.LoadRequest, context: grpc.ServicerContext) -> pb.LoadReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.load, request)

    def Show(self, request: pb.ShowRequest, context: grpc.ServicerContext) -> pb.ShowReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.show, request)


def write_problem(problem: Problem) -> pb.Problem:
    """A problem as a message."""
    if problem.place is None:
        return pb.Problem(message=problem.message)
    return pb.Problem(line=problem.place.line, column=problem.place.column, message=problem.message)
