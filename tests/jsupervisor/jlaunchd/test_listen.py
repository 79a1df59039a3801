"""Addresses to listen on."""

from __future__ import annotations

import socket

import pytest

from jsupervisor.jlaunchd.listen import ListenError, check_free, parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("[::1]:1", ("::1", 1)),
        ("0.0.0.0:65535", ("0.0.0.0", 65535)),
    ],
)
def test_an_address_is_read(text: str, expected: tuple[str, int]) -> None:
    assert expected == parse_address(text)


@pytest.mark.parametrize(
    "text",
    ["", ":", "9464", ":9464", "localhost:9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
     "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x", "::1:9464", "[127.0.0.1]:9464", "[::1]",
     "127.0.0.1:٣", "[]:1", "127.0.0.1:9464\n"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ListenError, match=r"cannot listen on .*e\.g\. 127\.0\.0\.1:9464"):
        parse_address(text)


def test_a_taken_port_is_found_out_before_the_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{port}: Address"):
            check_free(f"127.0.0.1:{port}")

    check_free(f"127.0.0.1:{port}")
