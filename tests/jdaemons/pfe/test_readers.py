"""A reader beside the writer: routes that do not change are found at every moment."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
from numpy.typing import NDArray

from jdaemons.pfe.fakes import route
from jdaemons.pfe.layout import Image, NextHopType
from jdaemons.pfe.values import NextHop
from jdaemons.pfe.writer import ImageWriter

CHURN = """
import random, sys
from ipaddress import ip_network
from jdaemons.pfe.fakes import route
from jdaemons.pfe.layout import Image
from jdaemons.pfe.writer import ImageWriter

rng = random.Random(2)
writer = ImageWriter(Image(int(sys.argv[1]), writable=True))
stable = [ip_network(text) for text in sys.argv[2:]]

def around(network):
    length = rng.randrange(8, network.max_prefixlen + 1)
    spread = rng.getrandbits(max(1, network.max_prefixlen - length // 2))
    address = int(network.network_address) ^ spread
    spare = network.max_prefixlen - length
    return ip_network((address >> spare << spare, length))

for _ in range(5):
    near = [around(network) for network in stable for _ in range(6)]
    routes = {
        route(str(each)): 2
        for each in near
        if not any(each.version == kept.version and each.subnet_of(kept) for kept in stable)
    }
    writer.change_routes(routes, [])
    writer.change_routes({}, routes)
"""


def test_routes_that_stay_are_found_while_others_come_and_go() -> None:
    fd = os.memfd_create("image")
    writer = ImageWriter(Image(fd, writable=True))
    writer.set_next_hops(NextHop(id=number, type=NextHopType.DISCARD) for number in (1, 2))
    stable = [f"10.{n}.128.0/26" for n in range(20)] + [f"2001:db8:{n}::/56" for n in range(20)]
    writer.change_routes({route(text): 1 for text in stable}, [])
    reader = Image(fd, writable=False)
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", CHURN, str(fd), *stable], pass_fds=(fd,)
    )
    wrong = rounds = 0
    while process.poll() is None:
        wrong += _wrong(reader, 4, stable) + _wrong(reader, 6, stable)
        rounds += 1
    os.close(fd)

    assert 0 == process.returncode
    assert 0 == wrong
    assert rounds


def _wrong(reader: Image, family: int, stable: list[str]) -> int:
    keys = [route(text) for text in stable]
    rows = [list(key[2:]) for key in keys if key[0] == family]
    octets: NDArray[np.uint8] = np.array(rows, np.uint8)[:, : 4 if family == 4 else 16]
    found = reader.next_hops["id"][reader.trie(family).lookup(octets)]
    return int(np.count_nonzero(found != 1))
