"""A rehearsal runs everything once and leaves nothing but connections."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc

from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import make_identity, make_order, run_daemon
from jsupervisor.runtime.feed import FeedSource
from jsupervisor.runtime.rehearsal import rehearse
from jsupervisor.runtime.rpc import Client


class Consumer(Daemon):
    """Has a producer, and must not be run."""

    def feeds_in(self) -> Sequence[FeedSource]:
        return (FeedSource("mgd", "config"),)

    async def run(self, nursery: object) -> None:
        raise AssertionError("a rehearsal runs nobody's code")


async def close(clients: Mapping[str, Client]) -> None:
    for client in clients.values():
        await client.aclose()


async def test_a_rehearsal_leaves_no_socket_and_no_stable_name(run_dir: Path) -> None:
    order = make_order(run_dir, "rpd")
    folder = run_dir / "rpd"
    folder.mkdir(exist_ok=True)
    (folder / "rpc.sock").symlink_to("rpc.1.sock")
    clients = await rehearse(order, make_identity(run_dir, "rpd"), int)

    assert {} == clients
    assert ["rpc.sock"] == os.listdir(folder)
    assert "rpc.1.sock" == os.readlink(folder / "rpc.sock")


async def test_channels_to_producers_are_connected(run_dir: Path) -> None:
    (run_dir / "rpd").mkdir(exist_ok=True)
    states: list[grpc.ChannelConnectivity] = []
    async with run_daemon(Daemon(make_order(run_dir, "mgd"))) as mgd:
        await mgd.ready.wait()
        async with run_daemon(Daemon(make_order(run_dir, "eventd"))) as eventd:
            await eventd.ready.wait()
            identity = make_identity(run_dir, "rpd")
            clients = await rehearse(make_order(run_dir, "rpd"), identity, Consumer)
            for client in clients.values():
                client.channel.subscribe(states.append)
            await close(clients)

    assert {"mgd", "eventd"} == set(clients)
