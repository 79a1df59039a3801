"""A real router over the wire: whoever is not who he must be gets nothing, whatever he asks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from jprotos.feed.v1 import feed_pb2
from jprotos.jlaunchd.v1 import jlaunchd_pb2, jlaunchd_pb2_grpc
from jprotos.mgd.v1 import mgd_pb2, mgd_pb2_grpc
from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.observer.operator import Operator
from jsupervisor.runtime.callers import ALLOWED, refusal
from jsupervisor.runtime.identity import Identity, unseal
from jsupervisor.testing import Router

pytestmark = pytest.mark.system

OTHERS = ("alarmd", "chassisd", "dcd", "eventd", "pfectl0")
SERVICES = {
    "mgd": (mgd_pb2, runtime_pb2),
    "jlaunchd": (jlaunchd_pb2, runtime_pb2),
    "pfectl0": (runtime_pb2,),
}
TIMEOUT = 5.0


def stolen(router: Router, name: str) -> Identity:
    """The identity of a module, as the owner of init's memory can take it: a perfect disguise."""
    folder = Path(f"/proc/{router.status().init_pid}/fd")
    for entry in folder.iterdir():
        if os.readlink(entry) == f"/memfd:{name}/identity (deleted)":
            fd = os.open(entry, os.O_RDONLY)
            try:
                return Identity.from_bytes(unseal(fd))
            finally:
                os.close(fd)
    raise AssertionError(f"init keeps no identity of {name}")


def path_of(router: Router, module: str) -> str:
    return str(router.instance.rpc_socket(module))


def status_of(channel: grpc.Channel, method: str, descriptor: MethodDescriptor) -> grpc.StatusCode:
    """How a call with a message that means nothing ends."""
    kinds = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    streams = (descriptor.client_streaming, descriptor.server_streaming)
    call: Any = kinds[streams](method)
    try:
        reply = call(iter(()) if descriptor.client_streaming else b"\xff", timeout=TIMEOUT)
        if descriptor.server_streaming:
            list(reply)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


@pytest.mark.parametrize("caller", ["rpd", *OTHERS])
@pytest.mark.parametrize("module", SERVICES)
def test_every_method_of_who_commands_is_closed_to_a_daemon(
    vmx: Router, caller: str, module: str
) -> None:
    """With the certificate of the daemon itself: what a daemon that was taken over can do."""
    refused, closed = set(), set()
    with stolen(vmx, caller).channel(path_of(vmx, module), module) as channel:
        for file in SERVICES[module]:
            for service in file.DESCRIPTOR.services_by_name.values():
                for descriptor in service.methods:
                    method = f"/{service.full_name}/{descriptor.name}"
                    assert refusal(ALLOWED, method, caller) is not None
                    closed.add(method)
                    if status_of(channel, method, descriptor) is PERMISSION_DENIED:
                        refused.add(method)

    assert closed == refused


PERMISSION_DENIED = grpc.StatusCode.PERMISSION_DENIED


def test_a_refusal_says_who_and_what_and_who_may(vmx: Router) -> None:
    with stolen(vmx, "rpd").channel(path_of(vmx, "mgd"), "mgd") as channel:
        stub = mgd_pb2_grpc.ConfigurationStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Load(mgd_pb2.LoadRequest(text="system { }", user="rpd"), timeout=TIMEOUT)

    says = "cannot let rpd use /jprotos.mgd.v1.Configuration/Load: allowed are operator"
    assert says == caught.value.details()


def test_a_feed_is_for_its_consumers(vmx: Router) -> None:
    """dcd may watch feeds, but not the forwarding table."""
    with stolen(vmx, "dcd").channel(path_of(vmx, "rpd"), "rpd") as channel:
        watch: Any = channel.unary_stream(
            "/jprotos.feed.v1.Feed/Watch",
            feed_pb2.WatchRequest.SerializeToString,
            feed_pb2.Update.FromString,
        )
        with pytest.raises(grpc.RpcError, match="cannot let dcd use feed:fib"):
            next(iter(watch(feed_pb2.WatchRequest(topic="fib"), timeout=TIMEOUT)))


def test_the_operator_is_served_by_all(vmx: Router) -> None:
    with Operator(vmx.instance) as operator:
        identity = operator.identity()
    served = []
    for module in ("rpd", "mgd", *OTHERS):
        with identity.channel(path_of(vmx, module), module) as channel:
            stub = runtime_pb2_grpc.RuntimeStub(channel)
            request = runtime_pb2.HeartbeatRequest(number=1)
            served.append(stub.Heartbeat(request, timeout=TIMEOUT).number)

    assert "operator" == identity.name
    assert [1] * 7 == served


@pytest.fixture(scope="module")
def neighbor() -> Iterator[Router]:
    """Another instance on the same machine, of the same owner."""
    with Router.boot("vmx", name="neighbor") as router:
        yield router


def strangers(vmx: Router, neighbor: Router) -> dict[str, grpc.Channel]:
    """Channels to mgd by those who must not get through."""
    path = path_of(vmx, "mgd")
    with Operator(vmx.instance) as ours, Operator(neighbor.instance) as theirs:
        mine, other = ours.identity(), theirs.identity()
    believing = grpc.ssl_channel_credentials(mine.authority.encode())
    named = [("grpc.ssl_target_name_override", "mgd")]
    return {
        "plaintext": grpc.insecure_channel(f"unix:{path}"),
        "no certificate": grpc.secure_channel(f"unix:{path}", believing, options=named),
        "another instance": replace(other, authority=mine.authority).channel(path, "mgd"),
        "another authority believed": other.channel(path, "mgd"),
        "another module meant": mine.channel(path, "eventd"),
    }


def test_who_proves_nothing_does_not_even_get_a_connection(vmx: Router, neighbor: Router) -> None:
    ends = {}
    for who, channel in strangers(vmx, neighbor).items():
        with channel:
            try:
                mgd_pb2_grpc.ConfigurationStub(channel).Show(mgd_pb2.ShowRequest(), timeout=TIMEOUT)
            except grpc.RpcError as error:
                ends[who] = error.code()

    assert 5 == len(ends)
    assert {grpc.StatusCode.UNAVAILABLE} == set(ends.values())


def test_a_server_that_took_anothers_name_over_gets_no_call(vmx: Router, tmp_path: Path) -> None:
    """rpd behind mgd's path: where modules share a uid it could put a socket there."""
    heard: list[str] = []

    class Impostor(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            heard.append(details.method)

    link = vmx.instance.rpc_socket("mgd")
    genuine, false = os.readlink(link), vmx.instance.run_dir / "false.sock"
    server = grpc.server(ThreadPoolExecutor(2), handlers=[Impostor()])
    server.add_secure_port(f"unix:{false}", stolen(vmx, "rpd").server_credentials())
    server.start()
    try:
        repoint(link, str(false))
        with Operator(vmx.instance) as operator:
            channel = operator.identity().channel(str(link), "mgd")
        with channel, pytest.raises(grpc.RpcError) as caught:
            mgd_pb2_grpc.ConfigurationStub(channel).Show(mgd_pb2.ShowRequest(), timeout=TIMEOUT)
    finally:
        repoint(link, genuine)
        server.stop(0).wait()

    assert grpc.StatusCode.UNAVAILABLE == caught.value.code()
    assert [] == heard


def repoint(link: Path, target: str) -> None:
    """Put another link in the place of one, at once."""
    new = link.with_name("new")
    new.symlink_to(target)
    new.rename(link)


@pytest.mark.parametrize("module", ["jlaunchd", "mgd", "rpd", *OTHERS])
def test_the_plain_socket_tells_of_health_and_services_and_nothing_else(
    vmx: Router, module: str
) -> None:
    vmx.wait_ready()
    with grpc.insecure_channel(f"unix:{vmx.instance.socket(module)}") as channel:
        check = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=TIMEOUT
        )
        services = ProtoReflectionDescriptorDatabase(channel).get_services()
        with pytest.raises(grpc.RpcError) as caught:
            runtime_pb2_grpc.RuntimeStub(channel).Get(
                runtime_pb2.GetRequest(name="x"), timeout=TIMEOUT
            )

    assert health_pb2.HealthCheckResponse.SERVING == check.status
    assert "jprotos.runtime.v1.Runtime" in services
    assert grpc.StatusCode.UNIMPLEMENTED == caught.value.code()


def test_the_sockets_are_closed_to_other_users(vmx: Router) -> None:
    modes = {
        path.name: path.stat().st_mode & 0o007
        for path in vmx.instance.run_dir.rglob("*")
        if not path.is_symlink() and (path.is_dir() or path.name.startswith(("plain.", "rpc.")))
    }

    assert len(modes) > len(OTHERS)
    assert {0} == set(modes.values())
    assert 0o600 == vmx.instance.socket("rpd").stat().st_mode & 0o777


def test_a_successor_is_who_its_predecessor_was_and_nothing_is_signed_again(vmx: Router) -> None:
    before = {name: stolen(vmx, name) for name in ("rpd", "jlaunchd", "operator")}
    for module in ("rpd", "jlaunchd"):
        assert vmx.inject("kill", module).recovered
    vmx.wait_ready()
    after = {name: stolen(vmx, name) for name in before}
    with before["operator"].channel(path_of(vmx, "jlaunchd"), "jlaunchd") as channel:
        stub = jlaunchd_pb2_grpc.SupervisorStub(channel)
        listed = stub.List(jlaunchd_pb2.ListRequest(), timeout=TIMEOUT, wait_for_ready=True)
    maps = Path(f"/proc/{vmx.processes()['jlaunchd'].pid}/maps").read_text()

    assert before == after
    assert len(listed.modules) > 5
    assert "cryptography" not in maps


def test_a_boot_trusts_nobody_of_the_boot_before(tmp_path: Path) -> None:
    identities = []
    for _ in range(2):
        with Router.boot("vmx", name="again", home=tmp_path) as router:
            identities.append(stolen(router, "operator"))
            path = path_of(router, "mgd")
            codes = []
            for identity in identities:
                with identity.channel(path, "mgd") as channel:
                    stub = mgd_pb2_grpc.ConfigurationStub(channel)
                    try:
                        stub.Show(mgd_pb2.ShowRequest(), timeout=TIMEOUT)
                        codes.append(grpc.StatusCode.OK)
                    except grpc.RpcError as error:
                        codes.append(error.code())

    assert [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.OK] == codes


def test_each_part_of_the_monolith_is_somebody_of_its_own() -> None:
    with Router.boot("vmx", architecture="monolithic") as router:
        names = {stolen(router, name).name for name in ("rpd", "mgd", "pfectl0")}
        with stolen(router, "rpd").channel(path_of(router, "mgd"), "mgd") as channel:
            stub = mgd_pb2_grpc.ConfigurationStub(channel)
            with pytest.raises(grpc.RpcError, match="cannot let rpd use"):
                stub.Show(mgd_pb2.ShowRequest(), timeout=TIMEOUT)

    assert {"rpd", "mgd", "pfectl0"} == names


def test_a_router_without_a_supervisor_still_knows_who_is_who(vmx: Router) -> None:
    """init keeps the identities, so nobody needs jlaunchd for them."""
    jlaunchd = vmx.processes()["jlaunchd"].pid
    os.kill(jlaunchd, signal.SIGSTOP)
    try:
        with Operator(vmx.instance) as operator:
            identity = operator.identity()
        with identity.channel(path_of(vmx, "mgd"), "mgd") as channel:
            reply = mgd_pb2_grpc.ConfigurationStub(channel).Show(
                mgd_pb2.ShowRequest(), timeout=TIMEOUT
            )
    finally:
        os.kill(jlaunchd, signal.SIGCONT)

    assert reply.revision > 0
