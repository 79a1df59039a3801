"""Calls to modules over gRPC, as the operator. Imported only by commands that make one.

A module that is dead or silent is told in Junos' words, by its CLI name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

import grpc

from jprotos.jlaunchd.v1 import jlaunchd_pb2, jlaunchd_pb2_grpc
from jprotos.mgd.v1 import mgd_pb2, mgd_pb2_grpc
from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.cli.common import ask_status
from jsupervisor.cli.errors import FAILED, WRONG, CliError
from jsupervisor.cli.restart import modules_of
from jsupervisor.initproto import Json
from jsupervisor.observer.operator import Operator, OperatorError
from jsupervisor.paths import Instance
from jsupervisor.runtime.names import daemon_name, executable_of

Reply = TypeVar("Reply")

CALL_SECONDS: Final = 5.0
RESTART_SECONDS: Final = 60.0
"""Longer than a profile gives a module to stop and start."""
HOW: Final = {
    "gracefully": jlaunchd_pb2.HOW_GRACEFULLY,
    "immediately": jlaunchd_pb2.HOW_IMMEDIATELY,
    "soft": jlaunchd_pb2.HOW_SOFT,
    "abort": jlaunchd_pb2.HOW_ABORT,
}
_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.enable_http_proxy", 0),
)
_SILENT: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})


@contextmanager
def channel_to(instance: Instance, module: str) -> Iterator[grpc.Channel]:
    """A channel to the module's RPC socket, as the operator; raises CliError."""
    try:
        with Operator(instance) as operator:
            identity = operator.identity()
    except OperatorError as error:
        raise CliError(str(error), FAILED) from error
    channel = identity.channel(str(instance.rpc_socket(module)), module, _OPTIONS)
    try:
        yield channel
    finally:
        channel.close()


def subsystem(module: str) -> str:
    """What Junos calls the module in errors."""
    return daemon_name(executable_of(module)).cli_name


def require_running(instance: Instance, module: str, what: str) -> None:
    """Raise CliError, in Junos' words, when init says that the module has no process."""
    modules = modules_of(ask_status(instance))
    # In the monolith one process is all modules.
    known = [each for each in modules if each.get("name") in (module, "router")]
    if not any(each.get("pid") for each in known):
        raise CliError(
            f"cannot {what}: error: the {subsystem(module)} subsystem is not running", FAILED
        )


def call(
    instance: Instance, module: str, what: str, send: Callable[[grpc.Channel], Reply]
) -> Reply:
    """The reply of one call to a module; raises CliError. `what` is for the error: "show route"."""
    require_running(instance, module, what)
    return call_dead_or_alive(instance, module, what, send)


def call_dead_or_alive(
    instance: Instance, module: str, what: str, send: Callable[[grpc.Channel], Reply]
) -> Reply:
    """As `call`, without asking first whether it runs: for jlaunchd, whose successor is waited for."""
    with channel_to(instance, module) as channel:
        try:
            return send(channel)
        except grpc.RpcError as error:
            code, details = _status(error)
            if code in _SILENT:
                text = f"the {subsystem(module)} subsystem is not responding to management requests"
                raise CliError(f"cannot {what}: error: {text}", FAILED) from error
            wrong = code is grpc.StatusCode.INVALID_ARGUMENT
            text = details if details.startswith("cannot ") else f"cannot {what}: {details}"
            raise CliError(text, WRONG if wrong else FAILED) from error


def _status(error: grpc.RpcError) -> tuple[grpc.StatusCode, str]:
    # Every error that a stub raises is a grpc.Call too, which the type of RpcError does not say.
    raised: object = error
    assert isinstance(raised, grpc.Call)
    return raised.code(), raised.details() or str(raised.code())


def get(
    instance: Instance,
    module: str,
    name: str,
    what: str,
    arguments: Mapping[str, str] | None = None,
) -> Json:
    """One piece of a module's operational data; raises CliError."""
    request = runtime_pb2.GetRequest(name=name, arguments=arguments or {})

    def send(channel: grpc.Channel) -> runtime_pb2.GetReply:
        stub = runtime_pb2_grpc.RuntimeStub(channel)
        return stub.Get(request, timeout=CALL_SECONDS, wait_for_ready=True)

    value: Json = json.loads(call(instance, module, what, send).json)
    return value


def restart_module(instance: Instance, module: str, how: str) -> int:
    """Have jlaunchd replace the module; the pid then. Raises CliError."""
    request = jlaunchd_pb2.RestartRequest(name=module, how=HOW[how])

    def send(channel: grpc.Channel) -> jlaunchd_pb2.RestartReply:
        stub = jlaunchd_pb2_grpc.SupervisorStub(channel)
        return stub.Restart(request, timeout=RESTART_SECONDS, wait_for_ready=True)

    return call_dead_or_alive(instance, "jlaunchd", f"restart {module}", send).pid


def load_configuration(instance: Instance, text: str, user: str) -> mgd_pb2.LoadReply:
    """Replace the configuration, or nothing: the reply lists what is wrong. Raises CliError."""
    request = mgd_pb2.LoadRequest(text=text, user=user)

    def send(channel: grpc.Channel) -> mgd_pb2.LoadReply:
        stub = mgd_pb2_grpc.ConfigurationStub(channel)
        return stub.Load(request, timeout=4 * CALL_SECONDS, wait_for_ready=True)

    return call(instance, "mgd", "load the configuration", send)


def show_configuration(instance: Instance) -> mgd_pb2.ShowReply:
    """The configuration in force; raises CliError."""

    def send(channel: grpc.Channel) -> mgd_pb2.ShowReply:
        stub = mgd_pb2_grpc.ConfigurationStub(channel)
        return stub.Show(mgd_pb2.ShowRequest(), timeout=CALL_SECONDS, wait_for_ready=True)

    return call(instance, "mgd", "show the configuration", send)
