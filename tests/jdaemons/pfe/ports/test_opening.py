"""From specifications to ports."""

from __future__ import annotations

from pathlib import Path

import pytest

from jdaemons.pfe.fakes import FakeStore
from jdaemons.pfe.ports.opening import fpc_of, open_port, own_ports
from jdaemons.pfe.ports.port import PortError
from jdaemons.pfe.ports.unix import UnixPort


@pytest.mark.parametrize(
    ("name", "fpc"),
    [("ge-0/0/1", 0), ("xe-11/2/3", 11), ("lo0", None), ("ge-x/0/0", None), ("ge-1", None)],
)
def test_the_fpc_stands_in_the_name(name: str, fpc: int | None) -> None:
    assert fpc == fpc_of(name)


def test_only_ports_of_the_fpc_are_opened_in_one_order() -> None:
    ports = dict.fromkeys(("ge-1/0/0", "ge-0/0/1", "ge-0/0/0", "lo0"), "unix:/x")

    assert ["ge-0/0/0", "ge-0/0/1"] == own_ports(ports, 0)


def test_a_specification_opens_its_kind_of_port(run_dir: Path, store: FakeStore) -> None:
    port = open_port("p", f"unix:{run_dir}/p", "k", store, str(run_dir))
    port.close()

    assert isinstance(port, UnixPort)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense", "cannot use port spec 'nonsense'"),
        ("af_packet:nosuchdevice", "cannot open port on nosuchdevice: "),
    ],
)
def test_what_cannot_be_opened_is_told(
    run_dir: Path, store: FakeStore, text: str, why: str
) -> None:
    with pytest.raises(PortError, match=why):
        open_port("p", text, "k", store, str(run_dir))
