"""A port that cannot be opened is refused before anything is started."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jsupervisor.portcheck import PortCheckError, check_ports
from jsupervisor.runtime.fakes import short_run_dir


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with short_run_dir() as path:
        yield path


def refusal(spec: str, own_folder: Path = Path("/nowhere")) -> str:
    """What is said of a port with this specification; empty when it is good."""
    try:
        check_ports({"ge-0/0/0": spec}, own_folder)
    except PortCheckError as error:
        return str(error)
    return ""


def test_a_free_path_is_good(folder: Path) -> None:
    assert "" == refusal(f"unix:{folder}/port")


def test_a_path_in_the_instances_own_folder_is_good_before_there_is_one() -> None:
    assert "" == refusal("unix:/nowhere/port")


def test_a_path_in_a_folder_that_is_not_there_is_refused() -> None:
    expected = "cannot open port ge-0/0/0 (unix:/not/there/port): there is no folder /not/there"

    assert expected == refusal("unix:/not/there/port")


def test_a_path_where_somebody_listens_is_in_use(folder: Path) -> None:
    path = folder / "port"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        said = refusal(f"unix:{path}")

    assert "in use: another router listens there" in said


def test_the_socket_of_a_dead_router_is_no_obstacle(folder: Path) -> None:
    path = folder / "port"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))

    assert "" == refusal(f"unix:{path}")


def test_a_file_that_is_no_socket_is_not_touched(folder: Path) -> None:
    path = folder / "port"
    path.write_text("precious")

    assert "no socket: move it away" in refusal(f"unix:{path}")
    assert "precious" == path.read_text()


def test_a_udp_port_of_somebody_else_is_in_use() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        said = refusal(f"udp:{port},9")
    free = refusal(f"udp:{port},9")

    assert "in use: choose another local port" in said
    assert "" == free


def test_an_address_that_is_not_ours_is_refused() -> None:
    assert "Cannot assign requested address" in refusal("udp:192.0.2.1:4711,9")


def test_an_interface_that_is_not_there_is_refused() -> None:
    assert "there is no interface nope0: see ip link" in refusal("af_packet:nope0")


@pytest.mark.parametrize("kind", ["veth", "tap"])
def test_an_interface_that_is_there_cannot_be_made(kind: str) -> None:
    assert "there is an interface lo already" in refusal(f"{kind}:lo")


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give it up")
@pytest.mark.parametrize("spec", ["af_packet:lo", "veth:jsx0", "tap:jsx0"])
def test_real_interfaces_need_root(spec: str) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from jsupervisor.portcheck import PortCheckError, check_ports\n"
        "os.setresuid(65534, 65534, 65534)\n"
        "try: check_ports({'ge-0/0/0': sys.argv[1]}, Path('/nowhere'))\n"
        "except PortCheckError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, spec], capture_output=True, text=True, check=True
    )

    assert "it needs root, or a user namespace" in done.stdout
