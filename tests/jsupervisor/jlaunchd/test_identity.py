"""Who signs what, when, and where it is kept."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from jsupervisor.initproto import Connection, Message
from jsupervisor.jlaunchd.identity import AUTHORITY, Issuer, introduce, speakers
from jsupervisor.jlaunchd.plan import Foreign, as_monolith
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.runtime.authority import Authority
from jsupervisor.runtime.identity import Identity, IdentityError, seal, unseal

PLAN = """
[profile]
name = "three"
[program.rpd]
entry = "a.b:Rpd"
[program.pfe0]
entry = "a.b:Engine"
executable = "pfe"
stage = "lean"
[program.pfectl0]
entry = "a.b:Control"
executable = "pfectl"
"""


@dataclass
class Kept:
    """init's store, and jlaunchd's way to it."""

    fds: dict[str, int] = field(default_factory=dict)
    entrusted: list[str] = field(default_factory=list)
    issuers: list[int] = field(default_factory=list)

    def entrust(self, message: Message, fd: int) -> None:
        """As the link's send."""
        key = str(message["key"])
        self.entrusted.append(key)
        if self.fds.setdefault(key, fd) != fd:
            os.close(fd)

    def serve(self, connection: Connection) -> None:
        """Answer until the other end is closed."""
        while (received := connection.receive()) is not None:
            message, fds = received
            key = str(message["key"])
            if message["op"] == "entrust":
                self.entrust(message, fds[0])
            elif key in self.fds:
                connection.send({"op": "done", "key": key}, [self.fds[key]])
            else:
                connection.send({"op": "missing", "why": f"there is no {key}"})

    def identity(self, name: str) -> Identity:
        """What is kept of `name`."""
        return Identity.from_bytes(unseal(self.fds[f"{name}/identity"]))

    def close(self) -> None:
        for fd in (*self.fds.values(), *self.issuers):
            os.close(fd)


@pytest.fixture
def authority_fd() -> Iterator[int]:
    fd = seal("ca", Authority.make("left").to_bytes())
    yield fd
    os.close(fd)


@pytest.fixture
def kept() -> Iterator[Kept]:
    store = Kept()
    yield store
    store.close()


def introduced(kept: Kept) -> tuple[Identity, Issuer]:
    """A supervisor of the instance left begins."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    init, connection = Connection(theirs), Connection(ours)
    server = threading.Thread(target=kept.serve, args=(init,))
    server.start()
    try:
        identity, issuer = introduce(connection, "left")
        kept.issuers.append(issuer.fd)
        return identity, issuer
    finally:
        connection.close()
        server.join()
        init.close()


def test_the_first_supervisor_of_a_boot_makes_all_there_is(kept: Kept) -> None:
    identity, _ = introduced(kept)

    assert [AUTHORITY, "operator/identity", "jlaunchd/identity"] == kept.entrusted
    assert ("left", "jlaunchd") == (identity.instance, identity.name)
    assert identity == kept.identity("jlaunchd")
    assert identity.authority == kept.identity("operator").authority


def test_a_later_one_is_the_same_and_signs_nothing(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = introduced(kept)
    kept.entrusted.clear()
    monkeypatch.setattr(Authority, "sign", None)
    monkeypatch.setattr(Authority, "make", None)
    second, issuer = introduced(kept)
    issuer.note("rpd")
    issuer.ensure(["rpd"], kept.entrust)

    assert first == second
    assert [] == kept.entrusted


@pytest.mark.parametrize("lost", ["jlaunchd/identity", "operator/identity"])
def test_one_that_died_while_it_began_is_made_good(kept: Kept, lost: str) -> None:
    introduced(kept)
    authority = unseal(kept.fds[AUTHORITY])
    for key in {lost, "jlaunchd/identity"}:
        os.close(kept.fds.pop(key))
    identity, _ = introduced(kept)

    assert authority == unseal(kept.fds[AUTHORITY])
    assert identity.authority == Authority.from_bytes(authority).certificate
    assert {AUTHORITY, "operator/identity", "jlaunchd/identity"} == set(kept.fds)


def test_a_name_is_signed_once(kept: Kept, authority_fd: int) -> None:
    issuer = Issuer(authority_fd, ["known"])
    issuer.ensure(["rpd", "known"], kept.entrust)
    issuer.ensure(["rpd", "mgd"], kept.entrust)

    assert ["rpd/identity", "mgd/identity"] == kept.entrusted
    assert "rpd" == kept.identity("rpd").name


def test_the_authority_is_not_read_for_nothing(kept: Kept) -> None:
    Issuer(-1, ["rpd"]).ensure(["rpd"], kept.entrust)

    assert [] == kept.entrusted
    nonsense = seal("ca", b"nonsense")
    with pytest.raises(IdentityError):
        Issuer(nonsense).ensure(["rpd"], kept.entrust)
    os.close(nonsense)


def test_an_init_that_refuses_is_one_clear_line() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    init, connection = Connection(theirs), Connection(ours)
    init.send({"op": "refused", "why": "pid 5 is not a running module"})
    with pytest.raises(ConnectionError, match="cannot get jlaunchd/ca from init: pid 5 is not"):
        introduce(connection, "left")
    init.close()
    with pytest.raises(ConnectionError):
        introduce(connection, "left")
    connection.close()


def test_only_who_speaks_grpc_has_an_identity() -> None:
    plan = parse_plan(PLAN, "three.toml")
    foreign = replace(plan.program("rpd"), foreign=Foreign(command=("sleep", "1")))
    monolith = as_monolith(plan)

    assert ["rpd"] == speakers(plan, plan.program("rpd"))
    assert [] == speakers(plan, plan.program("pfe0"))
    assert [] == speakers(plan, foreign)
    assert ["rpd", "pfectl0"] == speakers(monolith, monolith.programs[0])


def test_the_first_supervisor_signs_all_names_that_it_is_given(kept: Kept) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    init, connection = Connection(theirs), Connection(ours)
    server = threading.Thread(target=kept.serve, args=(init,))
    server.start()
    try:
        _, issuer = introduce(connection, "left", ["rpd", "dcd"])
    finally:
        connection.close()
        server.join()
        init.close()
    issuer.ensure(["rpd", "dcd"], kept.entrust)

    assert ["rpd/identity", "dcd/identity"] == kept.entrusted[-2:]
    assert "dcd" == kept.identity("dcd").name


IN_CHILD = """
import os, sys
from jsupervisor.jlaunchd.identity import in_child
in_child(lambda: __import__("jsupervisor.demo"))
print("jsupervisor.demo" in sys.modules)
try:
    in_child(lambda: 1 / 0)
except OSError as error:
    print(error)
"""


def test_what_is_done_in_a_child_leaves_nothing_behind_but_an_error() -> None:
    command = [sys.executable, "-c", IN_CHILD]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert ["False", "cannot sign identities: the child that does it ended with 1"] == (
        done.stdout.splitlines()
    )
    assert "ZeroDivisionError" in done.stderr
