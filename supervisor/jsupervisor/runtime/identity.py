"""Who a process is to others: its key, its certificate, and the authority that it believes.

Everything is made anew at each boot of an instance. jlaunchd signs a module's certificate before its
first start; init keeps it as a sealed memory file and hands it to that module alone, so a successor
is who its predecessor was. The certificate's URI tells a server who calls; its DNS name tells a
client that it has reached the module that it meant, and not another one on the same path.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import grpc

SCHEME: Final = "spiffe://jsupervisor/"
PEER_URI: Final = "peer_uri"
"""gRPC's name, in an authentication context, for the URIs of a verified certificate."""
_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class IdentityError(Exception):
    """There is no identity where there must be one; the text says whose and what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One name's proof of itself. All parts are PEM text."""

    instance: str
    name: str
    certificate: str
    authority: str
    """The certificate of whoever signed, of ours and of everybody else's of this boot."""
    key: str = field(repr=False)

    def to_bytes(self) -> bytes:
        """As it is kept."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Identity:
        """What `to_bytes` gave; raises IdentityError for anything else."""
        try:
            return cls(**{name: str(value) for name, value in json.loads(data).items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise IdentityError(f"cannot read an identity: {error}") from error

    def server_credentials(self) -> grpc.ServerCredentials:
        """For a server that talks to nobody whom the authority does not know."""
        import grpc

        return grpc.ssl_server_credentials(
            [(self.key.encode(), self.certificate.encode())],
            root_certificates=self.authority.encode(),
            require_client_auth=True,
        )

    def channel(
        self, path: str, server: str, options: Sequence[tuple[str, str | int]] = ()
    ) -> grpc.Channel:
        """A channel to the socket at `path`, which must prove that it is the module `server`."""
        import grpc

        credentials = grpc.ssl_channel_credentials(
            self.authority.encode(), self.key.encode(), self.certificate.encode()
        )
        named = [*options, ("grpc.ssl_target_name_override", server)]
        return grpc.secure_channel(f"unix:{path}", credentials, options=named)


def identity_key(name: str) -> str:
    """Where init keeps the identity of `name`."""
    return f"{name}/identity"


def uri_of(instance: str, name: str) -> str:
    """What a certificate calls its holder."""
    return f"{SCHEME}{instance}/{name}"


def name_in(context: Mapping[str, Iterable[bytes]], instance: str) -> str:
    """The caller's name by its verified certificate; empty when it has none of this instance."""
    uris = list(context.get(PEER_URI, ()))
    prefix = uri_of(instance, "")
    if len(uris) != 1 or not (uri := uris[0].decode("utf-8", "replace")).startswith(prefix):
        return ""
    name = uri.removeprefix(prefix)
    return "" if "/" in name else name


def seal(name: str, data: bytes) -> int:
    """A memory file that nobody can change any more, and that no path leads to; the caller closes it."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.write(fd, data)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    except OSError:
        os.close(fd)
        raise
    return fd


def unseal(fd: int) -> bytes:
    """All of a memory file. Its position is shared with everybody who has it, and stays as it is."""
    return os.pread(fd, os.fstat(fd).st_size, 0)


def take(fd: int | None, name: str) -> Identity:
    """The identity in `fd`, which is closed; raises IdentityError when there is none of `name`."""
    if fd is None:
        raise IdentityError(f"cannot speak as {name}: init keeps no identity of that name")
    try:
        identity = Identity.from_bytes(unseal(fd))
    finally:
        os.close(fd)
    if identity.name != name:
        raise IdentityError(f"cannot speak as {name}: the identity is that of {identity.name}")
    return identity
