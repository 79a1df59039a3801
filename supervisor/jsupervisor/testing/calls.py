"""Calls to modules as the operator, over their RPC sockets. Blocking.

A channel is kept for each module. It finds a successor by itself, because the socket's path is
looked up anew at each connection attempt.
"""

from __future__ import annotations

import json
from typing import Final

import grpc

from jprotos.jlaunchd.v1 import jlaunchd_pb2, jlaunchd_pb2_grpc
from jprotos.mgd.v1 import mgd_pb2, mgd_pb2_grpc
from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.initproto import Json
from jsupervisor.paths import Instance
from jsupervisor.runtime.callers import CALLER_KEY
from jsupervisor.runtime.rpc import CHANNEL_OPTIONS
from jsupervisor.testing.harness import HarnessError, NoAnswer
from jsupervisor.testing.sessions import Session

METADATA: Final = ((CALLER_KEY, "operator"),)
HOW: Final = {
    "gracefully": jlaunchd_pb2.HOW_GRACEFULLY,
    "immediately": jlaunchd_pb2.HOW_IMMEDIATELY,
    "soft": jlaunchd_pb2.HOW_SOFT,
}


class Calls:
    """The operator's channels to one instance's modules."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._channels: dict[str, grpc.Channel] = {}

    def _channel(self, module: str) -> grpc.Channel:
        channel = self._channels.get(module)
        if channel is None:
            target = f"unix:{self._instance.rpc_socket(module)}"
            channel = grpc.insecure_channel(target, options=list(CHANNEL_OPTIONS))
            self._channels[module] = channel
        return channel

    def show(self, module: str, name: str, arguments: dict[str, str], timeout: float) -> Json:
        """One named piece of operational data; raises HarnessError."""
        stub = runtime_pb2_grpc.RuntimeStub(self._channel(module))
        request = runtime_pb2.GetRequest(name=name, arguments=arguments)
        try:
            reply = stub.Get(request, timeout=timeout, metadata=METADATA, wait_for_ready=True)
        except grpc.RpcError as error:
            raise _failure(f"cannot get {name} of {module}", error) from error
        value: Json = json.loads(reply.json)
        return value

    def sessions(self, module: str, timeout: float) -> list[Session]:
        """The feeds that `module` consumes; raises HarnessError."""
        stub = runtime_pb2_grpc.RuntimeStub(self._channel(module))
        request = runtime_pb2.StatsRequest()
        try:
            reply = stub.Stats(request, timeout=timeout, metadata=METADATA, wait_for_ready=True)
        except grpc.RpcError as error:
            raise _failure(f"cannot get the sessions of {module}", error) from error
        return [
            Session(
                consumer=module,
                producer=session.producer,
                topic=session.topic,
                connected=session.connected,
                synced=session.synced,
                dropped=session.dropped,
                established=session.established,
                incarnation=session.incarnation,
                resync_changes=session.resync_changes,
            )
            for session in reply.sessions
        ]

    def load(self, text: str, timeout: float) -> int:
        """Replace the configuration; its revision. Raises HarnessError with mgd's complaints."""
        stub = mgd_pb2_grpc.ConfigurationStub(self._channel("mgd"))
        request = mgd_pb2.LoadRequest(text=text, user="operator")
        try:
            reply = stub.Load(request, timeout=timeout, metadata=METADATA, wait_for_ready=True)
        except grpc.RpcError as error:
            raise _failure("cannot load the configuration", error) from error
        if reply.problems:
            raise HarnessError(
                "cannot load the configuration: "
                + "; ".join(f"line {each.line}: {each.message}" for each in reply.problems)
            )
        return reply.revision

    def restart(self, module: str, how: str, timeout: float) -> int:
        """Have jlaunchd replace a module; the successor's pid. Raises HarnessError."""
        if how not in HOW:
            raise HarnessError(f"cannot restart {module} {how}: say one of {', '.join(HOW)}")
        stub = jlaunchd_pb2_grpc.SupervisorStub(self._channel("jlaunchd"))
        request = jlaunchd_pb2.RestartRequest(name=module, how=HOW[how])
        try:
            reply = stub.Restart(request, timeout=timeout, metadata=METADATA, wait_for_ready=True)
        except grpc.RpcError as error:
            raise _failure(f"cannot restart {module}", error) from error
        return reply.pid

    def close(self) -> None:
        """Close all channels."""
        while self._channels:
            self._channels.popitem()[1].close()


def _failure(what: str, error: grpc.RpcError) -> NoAnswer:
    # Every error that a stub raises is a grpc.Call too, which the type of RpcError does not say.
    details = getattr(error, "details", None)
    return NoAnswer(f"{what}: {details() if callable(details) else error}")
