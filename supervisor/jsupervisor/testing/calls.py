"""Calls to modules as the operator, over their RPC sockets. Blocking.

A channel is kept for each module. It finds a successor by itself, because the socket's path is
looked up anew at each connection attempt.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final, TypeVar

import grpc

from jprotos.jlaunchd.v1 import jlaunchd_pb2, jlaunchd_pb2_grpc
from jprotos.mgd.v1 import mgd_pb2, mgd_pb2_grpc
from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.policy import RestartPolicy
from jsupervisor.jlaunchd.rules import message_of
from jsupervisor.observer.operator import Operator, OperatorError
from jsupervisor.paths import Instance
from jsupervisor.runtime.identity import Identity
from jsupervisor.runtime.rpc import CHANNEL_OPTIONS
from jsupervisor.testing.harness import HarnessError, NoAnswer
from jsupervisor.testing.sessions import Session

Request = TypeVar("Request")
Reply = TypeVar("Reply")

HOW: Final = {
    "gracefully": jlaunchd_pb2.HOW_GRACEFULLY,
    "immediately": jlaunchd_pb2.HOW_IMMEDIATELY,
    "soft": jlaunchd_pb2.HOW_SOFT,
    "abort": jlaunchd_pb2.HOW_ABORT,
}


class Calls:
    """The operator's channels to one instance's modules."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._channels: dict[str, grpc.Channel] = {}
        self._identity: Identity | None = None

    def _who(self) -> Identity:
        if self._identity is None:
            try:
                with Operator(self._instance) as operator:
                    self._identity = operator.identity()
            except OperatorError as error:
                raise NoAnswer(str(error)) from error
        return self._identity

    def _channel(self, module: str) -> grpc.Channel:
        channel = self._channels.get(module)
        if channel is None:
            path = str(self._instance.rpc_socket(module))
            channel = self._who().channel(path, module, CHANNEL_OPTIONS)
            self._channels[module] = channel
        return channel

    def show(self, module: str, name: str, arguments: dict[str, str], timeout: float) -> Json:
        """One named piece of operational data; raises HarnessError."""
        stub = runtime_pb2_grpc.RuntimeStub(self._channel(module))
        request = runtime_pb2.GetRequest(name=name, arguments=arguments)
        try:
            reply = stub.Get(request, timeout=timeout, wait_for_ready=True)
        except grpc.RpcError as error:
            raise _failure(f"cannot get {name} of {module}", error) from error
        value: Json = json.loads(reply.json)
        return value

    def sessions(self, module: str, timeout: float) -> list[Session]:
        """The feeds that `module` consumes; raises HarnessError."""
        stub = runtime_pb2_grpc.RuntimeStub(self._channel(module))
        request = runtime_pb2.StatsRequest()
        try:
            reply = stub.Stats(request, timeout=timeout, wait_for_ready=True)
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
            reply = stub.Load(request, timeout=timeout, wait_for_ready=True)
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
        request = jlaunchd_pb2.RestartRequest(name=module, how=HOW[how])
        return self._ask(
            f"restart {module}", lambda jlaunchd: jlaunchd.Restart, request, timeout
        ).pid

    def set_policy(self, policy: str | RestartPolicy, target: str, timeout: float) -> list[str]:
        """Put a module, a group or everything under a policy; whom. Raises HarnessError."""
        request = jlaunchd_pb2.SetPolicyRequest(target=target)
        if isinstance(policy, str):
            request.name = policy
        else:
            request.rule.CopyFrom(message_of(policy))
        what = f"set the policy of {target or 'everything'}"
        reply = self._ask(what, lambda jlaunchd: jlaunchd.SetPolicy, request, timeout)
        return list(reply.modules)

    def reload(self, timeout: float) -> None:
        """Have the plan's file read again. Raises HarnessError."""
        request = jlaunchd_pb2.ReloadRequest()
        self._ask("reload", lambda jlaunchd: jlaunchd.Reload, request, timeout)

    def start(self, module: str, timeout: float) -> None:
        """Want a module up. Raises HarnessError."""
        request = jlaunchd_pb2.StartRequest(name=module)
        self._ask(f"start {module}", lambda jlaunchd: jlaunchd.Start, request, timeout)

    def stop(self, module: str, timeout: float) -> None:
        """Want a module down. Raises HarnessError."""
        request = jlaunchd_pb2.StopRequest(name=module)
        self._ask(f"stop {module}", lambda jlaunchd: jlaunchd.Stop, request, timeout)

    def clear(self, module: str, timeout: float) -> None:
        """Let a stopped module go on, and forget its failures. Raises HarnessError."""
        request = jlaunchd_pb2.ClearRequest(name=module)
        self._ask(f"clear {module}", lambda jlaunchd: jlaunchd.Clear, request, timeout)

    def _ask(
        self,
        what: str,
        method: Callable[
            [jlaunchd_pb2_grpc.SupervisorStub], grpc.UnaryUnaryMultiCallable[Request, Reply]
        ],
        request: Request,
        timeout: float,
    ) -> Reply:
        call = method(jlaunchd_pb2_grpc.SupervisorStub(self._channel("jlaunchd")))
        try:
            return call(request, timeout=timeout, wait_for_ready=True)
        except grpc.RpcError as error:
            raise _failure(f"cannot {what}", error) from error

    def close(self) -> None:
        """Close all channels."""
        while self._channels:
            self._channels.popitem()[1].close()


def _failure(what: str, error: grpc.RpcError) -> NoAnswer:
    # Every error that a stub raises is a grpc.Call too, which the type of RpcError does not say.
    details = getattr(error, "details", None)
    return NoAnswer(f"{what}: {details() if callable(details) else error}")
