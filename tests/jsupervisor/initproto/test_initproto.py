"""Messages to and from init: what goes in comes out, and nothing else does."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.initproto import (
    MAX_DESCRIPTORS,
    MAX_MESSAGE,
    Connection,
    Json,
    MessageError,
    decode,
    encode,
)

values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection and the bare socket at its other end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection = Connection(ours)
    connection.settimeout(5)
    yield connection, theirs
    connection.close()
    theirs.close()


@given(message=st.dictionaries(st.text(), values, max_size=4))
def test_every_message_comes_back_as_it_was(message: dict[str, Json]) -> None:
    assert message == decode(encode(message))


@given(data=st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for candidate in (data, b"1" + data):
        try:
            assert isinstance(decode(candidate), dict)
        except MessageError as error:
            assert str(error).startswith("cannot read a message")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "version b''"),
        (b"2{}", "version b'2'"),
        (b"1", "Expecting value"),
        (b"1[]", "not a JSON object"),
        (b"1null", "not a JSON object"),
        (b"1{", "Expecting"),
        (b"1\xff\xff", "decode"),
        (b"1" + b"[" * 100_000, ""),
        (b'1{"a":' + b"9" * 5000 + b"}", "limit"),
    ],
)
def test_what_is_not_a_message_is_refused_with_the_reason(data: bytes, error: str) -> None:
    with pytest.raises(MessageError, match=f"^cannot read a message.*{error}"):
        decode(data)


def test_a_message_has_192_kib_at_most() -> None:
    frame = len(encode({"x": ""}))

    assert MAX_MESSAGE == len(encode({"x": "y" * (MAX_MESSAGE - frame)}))
    with pytest.raises(MessageError, match="cannot send a message of 196609 bytes: 196608 at most"):
        encode({"x": "y" * (MAX_MESSAGE - frame + 1)})


def test_the_longest_message_passes_a_socket(ends: tuple[Connection, socket.socket]) -> None:
    connection, other = ends
    message = {"x": "y" * (MAX_MESSAGE - len(encode({"x": ""})))}
    peer = Connection(other)
    peer.send(message)

    assert (message, []) == connection.receive()


def test_descriptors_ride_along(ends: tuple[Connection, socket.socket], tmp_path: Path) -> None:
    connection, other = ends
    path = tmp_path / "x"
    path.write_text("hello")
    with path.open() as file:
        Connection(other).send({"op": "put"}, [file.fileno()] * MAX_DESCRIPTORS)
    received = connection.receive()

    assert received is not None
    message, fds = received
    assert ({"op": "put"}, MAX_DESCRIPTORS) == (message, len(fds))
    assert not any(os.get_inheritable(fd) for fd in fds)
    assert b"hello" == os.read(fds[3], 10)
    for fd in fds:
        os.close(fd)


@pytest.mark.parametrize("data", [b"2{}", b"1[]", b"1" + b" " * MAX_MESSAGE])
def test_a_refused_message_leaks_no_descriptor_and_the_next_one_is_read(
    ends: tuple[Connection, socket.socket], data: bytes
) -> None:
    connection, other = ends
    before = os.listdir("/proc/self/fd")
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 0]))]
    other.sendmsg([data], rights)
    Connection(other).send({"op": "next"})

    with pytest.raises(MessageError):
        connection.receive()
    assert before == os.listdir("/proc/self/fd")
    assert ({"op": "next"}, []) == connection.receive()


def test_more_descriptors_than_agreed_are_refused_and_closed(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, other = ends
    before = os.listdir("/proc/self/fd")
    Connection(other).send({}, [0] * (MAX_DESCRIPTORS + 4))

    with pytest.raises(MessageError, match="cut short"):
        connection.receive()
    assert before == os.listdir("/proc/self/fd")


def test_the_end_of_the_peer_is_none_and_for_a_request_an_error(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, other = ends
    other.close()

    assert connection.receive() is None
    with pytest.raises(OSError, match=r"peer|pipe"):
        connection.request({})


def test_a_connection_without_time_does_not_wait(ends: tuple[Connection, socket.socket]) -> None:
    connection, _ = ends
    connection.settimeout(0)

    with pytest.raises(BlockingIOError):
        connection.receive()


def test_a_socket_that_is_not_there_is_an_error_and_leaks_nothing(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")

    with pytest.raises(FileNotFoundError):
        Connection.open(str(tmp_path / "no.sock"))
    assert before == os.listdir("/proc/self/fd")
