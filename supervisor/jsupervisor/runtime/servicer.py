"""What every module answers, whatever its work: heartbeat, session counters, operational data."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence

import grpc

from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.initproto import Json
from jsupervisor.runtime.replica import Session
from jsupervisor.runtime.rpc import RpcError, Seam
from jsupervisor.runtime.rpcstats import MethodCount, RpcStats

Query = Callable[[Mapping[str, str]], Json]
"""Answers one name of operational data; raises QueryError for arguments that it cannot use."""


class QueryError(Exception):
    """An operational query cannot be answered; the text, beginning with "cannot", goes to the user."""


class RuntimeServicer(runtime_pb2_grpc.RuntimeServicer):
    """The Runtime service of one module."""

    def __init__(
        self,
        seam: Seam,
        incarnation: int,
        queries: Mapping[str, Query],
        sessions: Callable[[], Sequence[Session]],
        log_dropped: Callable[[], int],
        calls: RpcStats,
    ) -> None:
        self._seam = seam
        self._incarnation = incarnation
        self._queries = queries
        self._sessions = sessions
        self._log_dropped = log_dropped
        self._calls = calls

    def Heartbeat(
        self, request: runtime_pb2.HeartbeatRequest, context: grpc.ServicerContext
    ) -> runtime_pb2.HeartbeatReply:
        """Proof that both the threads and the loop get their turn."""
        thread_ns = time.monotonic_ns()

        async def beat(request: runtime_pb2.HeartbeatRequest) -> runtime_pb2.HeartbeatReply:
            return runtime_pb2.HeartbeatReply(
                number=request.number,
                incarnation=self._incarnation,
                thread_ns=thread_ns,
                loop_ns=time.monotonic_ns(),
            )

        return self._seam.unary(context, beat, request)

    def Stats(
        self, request: runtime_pb2.StatsRequest, context: grpc.ServicerContext
    ) -> runtime_pb2.StatsReply:
        """Counters that this module keeps of its own sessions and of the calls it served."""
        return self._seam.unary(context, self._stats, request)

    def Get(
        self, request: runtime_pb2.GetRequest, context: grpc.ServicerContext
    ) -> runtime_pb2.GetReply:
        """One named piece of operational data."""
        return self._seam.unary(context, self._get, request)

    async def _stats(self, request: runtime_pb2.StatsRequest) -> runtime_pb2.StatsReply:
        return runtime_pb2.StatsReply(
            incarnation=self._incarnation,
            sessions=[_session(session) for session in self._sessions()],
            log_dropped=self._log_dropped(),
            rpcs=[_count(each) for each in self._calls.counts()],
            rpcs_in_flight=self._calls.in_flight,
        )

    async def _get(self, request: runtime_pb2.GetRequest) -> runtime_pb2.GetReply:
        query = self._queries.get(request.name)
        if query is None:
            names = ", ".join(sorted(self._queries)) or "nothing"
            text = f"cannot get {request.name!r}: this module knows {names}"
            raise RpcError(grpc.StatusCode.NOT_FOUND, text)
        try:
            answer = query(dict(request.arguments))
        except QueryError as error:
            raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error
        return runtime_pb2.GetReply(json=json.dumps(answer))


def _count(count: MethodCount) -> runtime_pb2.RpcCount:
    return runtime_pb2.RpcCount(
        method=count.method,
        code=count.code,
        handled=count.handled,
        nanoseconds=count.nanoseconds,
    )


def _session(session: Session) -> runtime_pb2.Session:
    return runtime_pb2.Session(
        producer=session.producer,
        topic=session.topic,
        connected=session.connected,
        synced=session.synced,
        dropped=session.dropped,
        established=session.established,
        incarnation=session.incarnation,
        seq=session.seq,
        resync_changes=session.resync_changes,
    )
