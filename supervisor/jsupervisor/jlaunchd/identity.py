"""Gives every module its identity, once a boot: jlaunchd signs, init keeps.

    init's store                 who gets it
    jlaunchd/ca                  jlaunchd: the authority of this boot, with its key
    jlaunchd/identity            jlaunchd
    operator/identity            who commands the instance from outside (init looks at who asks)
    NAME/identity                the process that init has registered as NAME

A name is signed before its first start and never again, so neither a module's restart nor jlaunchd's
own signs anything or imports `cryptography`. What is kept already stays when it is entrusted again,
so a jlaunchd that died half-way does no harm: its successor does the whole again.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable
from typing import Final

from jsupervisor.initproto import Connection, Message
from jsupervisor.jlaunchd.plan import MONOLITH, Plan, Program
from jsupervisor.runtime.authority import Authority
from jsupervisor.runtime.callers import OPERATOR
from jsupervisor.runtime.identity import Identity, identity_key, seal, take, unseal

AUTHORITY: Final = "jlaunchd/ca"
OURSELVES: Final = "jlaunchd"

Entrust = Callable[[Message, int], None]
"""Sends a message to init with a descriptor, which the callee closes."""


class Issuer:
    """The authority of this boot, as far as it is needed: its key is read when something is signed."""

    def __init__(self, authority_fd: int, known: Iterable[str] = ()) -> None:
        """`authority_fd` stays the caller's; `known` are the names that were signed before."""
        self.fd = authority_fd
        self._known = set(known)

    def note(self, name: str) -> None:
        """It has been started before, so it has been signed."""
        self._known.add(name)

    def ensure(self, names: Iterable[str], entrust: Entrust) -> None:
        """Sign those that nobody has signed yet, and have init keep them."""
        missing = [name for name in names if name not in self._known]
        if not missing:
            return
        authority = Authority.from_bytes(unseal(self.fd))
        for name in missing:
            keep(authority.sign(name), entrust)
            self._known.add(name)


def speakers(plan: Plan, program: Program) -> list[str]:
    """Who speaks gRPC in the process of `program`: itself, its parts, or nobody."""
    if program.foreign is not None:
        return []
    inside = plan.parts if program.name == MONOLITH else (program,)
    return [part.name for part in inside if part.stage == "full"]


def keep(identity: Identity, entrust: Entrust) -> None:
    """Have init keep an identity."""
    key = identity_key(identity.name)
    entrust({"op": "entrust", "key": key}, seal(key, identity.to_bytes()))


def introduce(
    connection: Connection,
    instance: str,
    names: Iterable[str] = (),
    apart: Callable[[Callable[[], None]], None] | None = None,
) -> tuple[Identity, Issuer]:
    """Who we are, and the authority; all of it is made when this is the boot's first supervisor.

    Then all `names` are signed as well, and `apart` is told to do it (`in_child`). Blocking, and before
    the hello: from then on init expects answers to its pings. Raises OSError, ConnectionError or
    IdentityError.
    """
    authority_fd, own = _known(connection)
    signed: tuple[str, ...] = ()
    if authority_fd is None or own is None:
        for fd in (authority_fd, own):
            if fd is not None:
                os.close(fd)
        signed = tuple(names)
        (apart or _here)(lambda: _begin(connection, instance, signed))
        authority_fd, own = _known(connection)
        if authority_fd is None or own is None:
            raise ConnectionError("cannot go on: init does not keep what it is given")
    return take(own, OURSELVES), Issuer(authority_fd, signed)


def in_child(work: Callable[[], None]) -> None:
    """Do it in a child, so that what it imports goes with it: `cryptography` is 6 MB. Raises OSError.

    For a process without threads.
    """
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - it must not become a second supervisor
            traceback.print_exc()
        finally:
            os._exit(code)
    if code := os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise OSError(f"cannot sign identities: the child that does it ended with {code}")


def _here(work: Callable[[], None]) -> None:
    work()


def _known(connection: Connection) -> tuple[int | None, int | None]:
    """The authority and our own identity, as far as init keeps them."""
    return _get(connection, AUTHORITY), _get(connection, identity_key(OURSELVES))


def _begin(connection: Connection, instance: str, names: Iterable[str]) -> None:
    def entrust(message: Message, fd: int) -> None:
        connection.send(message, (fd,))
        os.close(fd)

    authority_fd = _get(connection, AUTHORITY)
    if authority_fd is None:
        authority_fd = seal(AUTHORITY, Authority.make(instance).to_bytes())
        entrust({"op": "entrust", "key": AUTHORITY}, os.dup(authority_fd))
    authority = Authority.from_bytes(unseal(authority_fd))
    os.close(authority_fd)
    for name in (OPERATOR, OURSELVES, *names):
        keep(authority.sign(name), entrust)


def _get(connection: Connection, key: str) -> int | None:
    connection.send({"op": "get", "key": key})
    received = connection.receive()
    if received is None:
        raise ConnectionError("cannot go on: init is gone")
    answer, fds = received
    if answer.get("op") == "done" and fds:
        return fds[0]
    if answer.get("op") != "missing":
        raise ConnectionError(f"cannot get {key} from init: {answer.get('why')}")
    return None
