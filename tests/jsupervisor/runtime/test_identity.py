"""Proofs of who somebody is: how they are kept, and what gRPC makes of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from jsupervisor.runtime.authority import Authority
from jsupervisor.runtime.fakes import short_run_dir
from jsupervisor.runtime.identity import (
    Identity,
    IdentityError,
    identity_key,
    name_in,
    seal,
    take,
    unseal,
    uri_of,
)

RPD = b"spiffe://jsupervisor/left/rpd"


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Of an instance called left."""
    return Authority.make("left")


@pytest.fixture
def run_dir() -> Generator[Path, None, None]:
    with short_run_dir() as folder:
        yield folder


@contextmanager
def served(path: Path, identity: Identity) -> Generator[None, None, None]:
    """A server that says who calls."""

    def who(request: bytes, context: grpc.ServicerContext) -> bytes:
        return name_in(context.auth_context(), "left").encode()  # type: ignore[arg-type]

    server = grpc.server(ThreadPoolExecutor(2))
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Who": grpc.unary_unary_rpc_method_handler(who)
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", handlers),))
    server.add_secure_port(f"unix:{path}", identity.server_credentials())
    server.start()
    try:
        yield
    finally:
        server.stop(0).wait()


def ask(channel: grpc.Channel, timeout: float = 5.0) -> str:
    """The caller's name as the server sees it; raises grpc.RpcError."""
    method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/t.T/Who")
    with channel:
        return method(b"", timeout=timeout).decode()


def test_each_end_knows_the_other_by_its_certificate(run_dir: Path, authority: Authority) -> None:
    with served(run_dir / "s", authority.sign("mgd")):
        names = [ask(authority.sign(name).channel(str(run_dir / "s"), "mgd")) for name in NAMES]

    assert list(NAMES) == names


NAMES = ("rpd", "pfectl0", "operator", "a_b-c")


def plain(path: str, authority: Authority) -> grpc.Channel:
    return grpc.insecure_channel(f"unix:{path}")


def without_certificate(path: str, authority: Authority) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials(authority.certificate.encode())
    options = [("grpc.ssl_target_name_override", "mgd")]
    return grpc.secure_channel(f"unix:{path}", credentials, options=options)


def of_another_boot(path: str, authority: Authority) -> grpc.Channel:
    other = Authority.make("left").sign("operator")
    return replace(other, authority=authority.certificate).channel(path, "mgd")


def self_signed(path: str, authority: Authority) -> grpc.Channel:
    own = Authority.make("left")
    credentials = grpc.ssl_channel_credentials(
        authority.certificate.encode(), own.key.encode(), own.certificate.encode()
    )
    options = [("grpc.ssl_target_name_override", "mgd")]
    return grpc.secure_channel(f"unix:{path}", credentials, options=options)


def signed_by_a_leaf(path: str, authority: Authority) -> grpc.Channel:
    leaf = authority.sign("rpd")
    made_up = Authority("left", leaf.certificate, leaf.key).sign("operator")
    chain = made_up.certificate + leaf.certificate
    return replace(made_up, certificate=chain, authority=authority.certificate).channel(path, "mgd")


def with_anothers_key(path: str, authority: Authority) -> grpc.Channel:
    mine, theirs = authority.sign("rpd"), authority.sign("operator")
    return replace(theirs, key=mine.key).channel(path, "mgd")


def to_another_server(path: str, authority: Authority) -> grpc.Channel:
    return authority.sign("rpd").channel(path, "eventd")


def believing_another_authority(path: str, authority: Authority) -> grpc.Channel:
    other = Authority.make("left")
    return replace(authority.sign("rpd"), authority=other.certificate).channel(path, "mgd")


@pytest.mark.parametrize(
    "connect",
    [
        plain,
        without_certificate,
        of_another_boot,
        self_signed,
        signed_by_a_leaf,
        with_anothers_key,
        to_another_server,
        believing_another_authority,
    ],
)
def test_nobody_is_served_who_does_not_prove_himself_or_meant_another(
    run_dir: Path, authority: Authority, connect: Callable[[str, Authority], grpc.Channel]
) -> None:
    with (
        served(run_dir / "s", authority.sign("mgd")),
        pytest.raises((grpc.RpcError, RuntimeError)) as caught,
    ):
        ask(connect(str(run_dir / "s"), authority), timeout=2.0)

    code = getattr(caught.value, "code", lambda: grpc.StatusCode.UNAVAILABLE)()
    assert grpc.StatusCode.UNAVAILABLE == code


@pytest.mark.parametrize(
    ("uris", "name"),
    [
        ([RPD], "rpd"),
        ([], ""),
        ([RPD, RPD], ""),
        ([b"spiffe://jsupervisor/right/rpd"], ""),
        ([b"spiffe://jsupervisor/left"], ""),
        ([b"spiffe://jsupervisor/left/"], ""),
        ([b"spiffe://jsupervisor/left/rpd/x"], ""),
        ([b"spiffe://elsewhere/left/rpd"], ""),
        ([b"https://jsupervisor/left/rpd"], ""),
        ([b"\xff\xfe"], ""),
    ],
)
def test_a_name_is_read_from_one_uri_of_this_instance(uris: list[bytes], name: str) -> None:
    assert name == name_in({"peer_uri": uris}, "left")
    assert "" == name_in({}, "left")


def test_a_metadata_like_property_names_nobody() -> None:
    assert "" == name_in({"jsup-caller": [b"operator"], "peer_dns": [b"operator"]}, "left")


def test_an_identity_is_kept_and_read_again(authority: Authority) -> None:
    identity = authority.sign("rpd")
    fd = seal(identity_key("rpd"), identity.to_bytes())

    assert identity == Identity.from_bytes(unseal(fd))
    assert identity == take(fd, "rpd")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_reading_moves_no_position_that_others_share(authority: Authority) -> None:
    fd = seal("x", authority.sign("rpd").to_bytes())
    twin = os.dup(fd)

    assert unseal(fd) == unseal(twin) == unseal(fd)
    os.close(fd)
    os.close(twin)


def test_what_is_sealed_stays_as_it_is() -> None:
    fd = seal("x", b"secret")
    for change in (
        lambda: os.write(fd, b"x"),
        lambda: os.ftruncate(fd, 0),
        lambda: os.ftruncate(fd, 100),
    ):
        with pytest.raises(PermissionError):
            change()
    os.close(fd)


def test_the_key_is_not_shown(authority: Authority) -> None:
    assert "PRIVATE" not in repr(authority.sign("rpd"))
    assert "PRIVATE" not in repr(authority)


def test_no_identity_is_one_clear_line(authority: Authority) -> None:
    with pytest.raises(IdentityError, match="cannot speak as rpd: init keeps no identity"):
        take(None, "rpd")
    with pytest.raises(IdentityError, match="cannot speak as rpd: the identity is that of mgd"):
        take(seal("x", authority.sign("mgd").to_bytes()), "rpd")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"name": "x"}', b"\xff", b"5"])
def test_what_is_no_identity_is_refused(data: bytes) -> None:
    with pytest.raises(IdentityError, match="cannot read an identity"):
        Identity.from_bytes(data)
    with pytest.raises(IdentityError, match="cannot read an authority"):
        Authority.from_bytes(data)


def test_a_uri_names_instance_and_module() -> None:
    assert RPD.decode() == uri_of("left", "rpd")
