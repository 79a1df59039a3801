"""jlaunchd over gRPC as the operator: metrics, events, orders. Blocking; used from threads.

One channel for as long as the instance's boot lasts: it finds a successor of jlaunchd by itself, for the
identity is of the boot and not of a process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import grpc

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jprotos.jlaunchd.v1 import jlaunchd_pb2_grpc
from jsupervisor.observer.events import EventRecord
from jsupervisor.observer.operator import Operator, OperatorError
from jsupervisor.paths import Instance

Reply = TypeVar("Reply")
Stub = jlaunchd_pb2_grpc.SupervisorStub

LOOK_SECONDS: Final = 1.5
"""A supervisor that takes longer for its metrics is away as far as a screen goes."""
IDENTITY_SECONDS: Final = 0.5
ORDER_SECONDS: Final = 5.0
RESTART_SECONDS: Final = 60.0
"""Longer than a profile gives a module to stop and start."""
_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.enable_http_proxy", 0),
)


class LinkError(Exception):
    """jlaunchd did not answer, or refused; the text begins with "cannot"."""


def record_of(event: pb.Event) -> EventRecord:
    """An event as everybody else knows it."""
    return EventRecord(
        name=event.name,
        event=event.event,
        incarnation=event.incarnation,
        cause=event.cause,
        monotonic_ns=event.monotonic_ns,
        time=event.time,
        downtime_ms=event.downtime_ms if event.HasField("downtime_ms") else None,
        attempt=event.attempt,
        next=event.next,
    )


class Link:
    """To one instance's jlaunchd, whichever it is."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._lock = threading.Lock()
        self._boot = 0
        self._channel: grpc.Channel | None = None
        self._stream: grpc.Call | None = None
        self._seq = 0
        self._closed = False

    def boot(self, init_pid: int) -> None:
        """The instance is this init's: with another one, everything begins anew."""
        with self._lock:
            if init_pid == self._boot:
                return
            self._boot, self._seq = init_pid, 0
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def metrics(self) -> pb.MetricsReply:
        """What has been counted; raises LinkError."""
        return self._ask("see the metrics", lambda stub: stub.Metrics, pb.MetricsRequest())

    def events(self) -> Iterator[EventRecord]:
        """Those kept and then each as it comes, without end; a call after an error goes on where it was.

        Raises LinkError when jlaunchd is away.
        """
        request = pb.WatchRequest(after_seq=self._seq, history=not self._seq)
        stub = self._stub("watch")
        try:
            stream = stub.Watch(request)
            self._stream = stream
            for event in stream:
                self._seq = max(self._seq, event.seq)
                yield record_of(event)
        except grpc.RpcError as error:
            raise _failure("watch", error) from error
        except ValueError as error:
            raise _closed("watch") from error
        raise LinkError("cannot watch: the supervisor ended the stream")

    def history(self, module: str, limit: int) -> list[EventRecord]:
        """The newest events of a module, oldest first; of all when it is empty. Raises LinkError."""
        request = pb.HistoryRequest(name=module, limit=limit)
        reply = self._ask("see the history", lambda stub: stub.History, request)
        return [record_of(event) for event in reply.events]

    def restart(self, module: str, how: pb.How.ValueType) -> pb.RestartReply:
        """Returns when the successor is ready; raises LinkError."""
        request = pb.RestartRequest(name=module, how=how)
        what = f"restart {module}"
        return self._ask(what, lambda stub: stub.Restart, request, RESTART_SECONDS)

    def start(self, module: str) -> None:
        """Want a module up; raises LinkError."""
        request = pb.StartRequest(name=module)
        self._ask(f"start {module}", lambda stub: stub.Start, request, ORDER_SECONDS)

    def stop(self, module: str) -> None:
        """Want a module down; raises LinkError."""
        request = pb.StopRequest(name=module)
        self._ask(f"stop {module}", lambda stub: stub.Stop, request, ORDER_SECONDS)

    def set_policy(self, target: str, policy: str) -> list[str]:
        """Put a module or a group under a named policy; whom it judges. Raises LinkError."""
        request = pb.SetPolicyRequest(target=target, name=policy)
        what = f"set the policy of {target}"
        reply = self._ask(what, lambda stub: stub.SetPolicy, request, ORDER_SECONDS)
        return list(reply.modules)

    def close(self) -> None:
        """The end of everything that goes on, in whichever thread."""
        with self._lock:
            self._closed = True
            channel, self._channel = self._channel, None
        if self._stream is not None:
            self._stream.cancel()
        if channel is not None:
            channel.close()

    def _ask(
        self,
        what: str,
        method: Callable[[Stub], Callable[..., Reply]],
        request: object,
        timeout: float = LOOK_SECONDS,
    ) -> Reply:
        call = method(self._stub(what))
        try:
            # An order waits for a successor; a look is tried again anyway.
            return call(request, timeout=timeout, wait_for_ready=timeout > LOOK_SECONDS)
        except grpc.RpcError as error:
            raise _failure(what, error) from error
        except ValueError as error:
            raise _closed(what) from error

    def _stub(self, what: str) -> Stub:
        with self._lock:
            if self._closed:
                raise _closed(what)
            if self._channel is None:
                self._channel = self._connect(what)
            return Stub(self._channel)

    def _connect(self, what: str) -> grpc.Channel:
        try:
            with Operator(self._instance, IDENTITY_SECONDS) as operator:
                identity = operator.identity()
        except OperatorError as error:
            raise LinkError(f"cannot {what}: {error}") from error
        path = str(self._instance.rpc_socket("jlaunchd"))
        return identity.channel(path, "jlaunchd", _OPTIONS)


def _closed(what: str) -> LinkError:
    """gRPC says ValueError of a channel that another thread has closed meanwhile."""
    return LinkError(f"cannot {what}: the connection was closed")


def _failure(what: str, error: grpc.RpcError) -> LinkError:
    # Every error that a stub raises is a grpc.Call too, which the type of RpcError does not say.
    raised: object = error
    assert isinstance(raised, grpc.Call)
    code, details = raised.code(), raised.details() or str(raised.code())
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        # A module that did not come back is said in jlaunchd's own words.
        return LinkError(
            details if details.startswith("cannot ") else f"cannot {what}: the supervisor is away"
        )
    return LinkError(details if details.startswith("cannot ") else f"cannot {what}: {details}")
