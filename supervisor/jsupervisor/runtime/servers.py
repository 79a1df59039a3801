"""The two gRPC servers of a module: the plain one for whoever asks how it is, the other for modules.

The plain one is for the instance's owner, by the mode of its socket. The other one talks to nobody
without a certificate of this boot. They have separate threads, so that no number of open streams can make a health check wait.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
import trio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from jsupervisor.paths import PLAIN, RPC
from jsupervisor.runtime.guard import CallerCheck, OnRefusal
from jsupervisor.runtime.identity import Identity
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rpc import MAX_MESSAGE
from jsupervisor.runtime.rpcstats import RpcCounter, RpcStats
from jsupervisor.runtime.sockets import Place, SocketPathError, sweep

PLAIN_THREADS: Final = 4
STOP_SECONDS: Final = 0.5

_OWNER: Final = 0o600

_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.max_send_message_length", MAX_MESSAGE),
)


class NotingServer(grpc.Server):
    """A server that remembers the names of the services registered with it, for reflection."""

    def __init__(self, server: grpc.Server) -> None:
        self._server = server
        self.names: list[str] = []

    def add_generic_rpc_handlers(
        self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]
    ) -> None:
        """As of grpc.Server."""
        handlers = tuple(generic_rpc_handlers)
        for handler in handlers:
            if isinstance(handler, grpc.ServiceRpcHandler):
                self.names.append(handler.service_name())
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        """As of grpc.Server."""
        self._server.add_registered_method_handlers(service_name, method_handlers)

    def add_insecure_port(self, address: str) -> int:
        """As of grpc.Server."""
        return self._server.add_insecure_port(address)

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """As of grpc.Server."""
        return self._server.add_secure_port(address, server_credentials)

    def start(self) -> None:
        """As of grpc.Server."""
        self._server.start()

    def stop(self, grace: float | None) -> Any:
        """As of grpc.Server."""
        return self._server.stop(grace)

    def wait_for_termination(self, timeout: float | None = None) -> bool:
        """As of grpc.Server."""
        return self._server.wait_for_termination(timeout)


class Servers:
    """Both servers of one incarnation of one module."""

    def __init__(
        self,
        order: Order,
        identity: Identity,
        allowed: Mapping[str, frozenset[str]],
        threads: int,
        on_refusal: OnRefusal,
        *,
        hidden: int = 0,
    ) -> None:
        """`hidden`: behind a doorman, as of Place."""
        self._order = order
        self._identity = identity
        self._plain_place, self._rpc_place = (
            Place(order.run_dir, order.name, kind, order.incarnation, hidden)
            for kind in (PLAIN, RPC)
        )
        self._health = health.HealthServicer()
        self._health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        self._plain = _server(_pool(PLAIN_THREADS), ())
        self.stats = RpcStats()
        check = CallerCheck(allowed, identity.instance, time.monotonic, on_refusal)
        self._threads = threads
        self._pool = _pool(threads)
        self.rpc = NotingServer(_server(self._pool, (RpcCounter(self.stats), check)))
        self._started: list[tuple[grpc.Server, Place]] = []

    def start_plain(self) -> None:
        """Answer health (not serving yet) and reflection; raises SocketPathError or OSError.

        The services must have been registered with `rpc`: reflection lists them.
        """
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._plain)
        names = (health.SERVICE_NAME, reflection.SERVICE_NAME, *self.rpc.names)
        reflection.enable_server_reflection(names, self._plain)
        self._start(self._plain, self._plain_place, None)

    def start_rpc(self) -> None:
        """Answer everything else; raises SocketPathError or OSError."""
        self._start(self.rpc, self._rpc_place, self._identity.server_credentials())
        sweep(self._order.run_dir, self._order.name, self._order.incarnation)

    def path(self, kind: str) -> str:
        """The file of a socket, PLAIN or RPC."""
        return (self._plain_place if kind == PLAIN else self._rpc_place).path

    def block(self) -> None:
        """The fault `block-pool`: each thread of `rpc` waits in a pipe that nobody will ever write to."""
        reader, _ = os.pipe()
        for _ in range(self._threads):
            self._pool.submit(os.read, reader, 1)

    def set_ready(self, ready: bool) -> None:
        """Health says SERVING exactly when ready."""
        status = health_pb2.HealthCheckResponse
        self._health.set("", status.SERVING if ready else status.NOT_SERVING)

    async def stop(self, grace: float | None = 0.05) -> None:
        """Close both, whatever their calls do: returns after half a second at the latest.

        Calls in progress have `grace` seconds to end; None cuts them at once.
        """
        with trio.CancelScope(shield=True):
            stopped = [server.stop(grace) for server, _ in self._started]
            with trio.move_on_after(STOP_SECONDS):
                for event in stopped:
                    await trio.to_thread.run_sync(event.wait, abandon_on_cancel=True)
            for _, place in self._started:
                place.withdraw()

    def _start(
        self, server: grpc.Server, place: Place, credentials: grpc.ServerCredentials | None
    ) -> None:
        path = place.path
        try:
            if credentials is None:
                server.add_insecure_port(f"unix:{path}")
            else:
                server.add_secure_port(f"unix:{path}", credentials)
        except RuntimeError as error:
            raise SocketPathError(f"cannot make the socket {path}: {error}") from error
        os.chmod(
            path, _OWNER
        )  # the place lets others in to RPC, where modules have uids of their own
        server.start()
        self._started.append((server, place))
        place.publish()


def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="rpc")


def _server(
    pool: ThreadPoolExecutor, interceptors: Iterable[grpc.ServerInterceptor]
) -> grpc.Server:
    return grpc.server(pool, interceptors=list(interceptors), options=_OPTIONS)
