"""What is noted is removed, and nothing else."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from jsupervisor import links


def listener(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.bind(str(path))
    sock.listen()
    return sock


def test_a_noted_socket_is_removed_even_while_it_is_kept_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dead, kept = Path("dead"), Path("kept")
    listener(dead).close()
    with listener(kept):
        for path in (dead, kept):
            links.note_socket(str(tmp_path), str(path))
        links.remove_noted(tmp_path)

    assert not dead.exists()
    assert not kept.exists()


def test_a_live_socket_that_took_the_place_of_a_noted_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [Path("live"), Path("stale")]
    for path in paths:
        listener(path).close()
        links.note_socket(str(tmp_path), str(path))
        path.unlink()
    listener(paths[1]).close()
    with listener(paths[0]):
        links.remove_noted(tmp_path)

    assert [True, False] == [path.exists() for path in paths]


def test_a_file_of_the_users_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    links.note_socket(str(tmp_path), str(path))
    with (tmp_path / "links").open("a") as notes:
        notes.write(f"socket 1:2:3 {tmp_path}/missing\nnonsense\n")
    links.note_interface(str(tmp_path), "nosuchdevice")
    links.remove_noted(tmp_path)

    assert "mine" == path.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.root
def test_a_modules_notes_are_believed_only_as_far_as_its_uid_reaches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[str] = []
    monkeypatch.setattr(links, "_remove_interface", removed.append)
    own, roots = tmp_path / "own", tmp_path / "roots"
    for path in (own, roots):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(path))
        links.note_socket(str(tmp_path), str(path))
    os.chown(own, 70001, 70001)
    for name in ("js0123456789", "eth0"):
        links.note_interface(str(tmp_path), name)
    (tmp_path / "links").rename(tmp_path / "links.70001")
    os.chown(tmp_path / "links.70001", 70001, 70001)
    links.remove_noted(tmp_path)

    assert (["js0123456789"], False, True) == (removed, own.exists(), roots.exists())


def test_notes_go_into_the_file_that_was_made_for_this_uid(tmp_path: Path) -> None:
    (tmp_path / f"links.{os.geteuid()}").touch()
    links.note_interface(str(tmp_path), "js1")

    assert "interface js1\n" == (tmp_path / f"links.{os.geteuid()}").read_text()
    assert not (tmp_path / "links").exists()


def test_a_folder_without_notes_is_left_alone(tmp_path: Path) -> None:
    links.remove_noted(tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_an_attribute_is_padded() -> None:
    assert bytes.fromhex("0700 0300 613000 00") == links.attribute(3, b"a0\0")


def test_a_request_that_fails_raises_what_the_kernel_says() -> None:
    with pytest.raises(OSError):
        links.link_request(17, 0, links.attribute(3, b"nosuchdevice\0"))
