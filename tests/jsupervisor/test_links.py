"""What is noted is removed, and nothing else."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from jsupervisor import links


def listener(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.bind(str(path))
    sock.listen()
    return sock


def test_a_noted_socket_without_a_listener_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dead, live = Path("dead"), Path("live")
    listener(dead).close()
    with listener(live):
        for path in (dead, live):
            links.note_socket(str(tmp_path), str(path))
        links.remove_noted(tmp_path)

    assert not dead.exists()
    assert live.exists()


def test_a_file_of_the_users_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    links.note_socket(str(tmp_path), str(path))
    links.note_socket(str(tmp_path), str(tmp_path / "missing"))
    links.note_interface(str(tmp_path), "nosuchdevice")
    links.remove_noted(tmp_path)

    assert "mine" == path.read_text()


def test_a_folder_without_notes_is_left_alone(tmp_path: Path) -> None:
    links.remove_noted(tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_an_attribute_is_padded() -> None:
    assert bytes.fromhex("0700 0300 613000 00") == links.attribute(3, b"a0\0")


def test_a_request_that_fails_raises_what_the_kernel_says() -> None:
    with pytest.raises(OSError):
        links.link_request(17, 0, links.attribute(3, b"nosuchdevice\0"))
