"""Addresses that metrics may be served on, read and tried before anything is started."""

from __future__ import annotations

import ipaddress
import socket


class ListenError(Exception):
    """An address cannot be listened on; the text begins with "cannot"."""


def parse_address(text: str) -> tuple[str, int]:
    """Address and port of "127.0.0.1:9464" or "[::1]:9464"; raises ListenError.

    No names: the supervisor asks no name server.
    """
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
        number = int(port) if port.isascii() and port.isdigit() else -1
    except ValueError:
        number = -1
    if not colon or not 0 < number < 65536 or (address.version == 6) != (bare != host):
        raise ListenError(f"cannot listen on {text!r}: write ADDRESS:PORT, e.g. 127.0.0.1:9464")
    return bare, number


def check_free(text: str) -> None:
    """Raise ListenError when the address cannot be listened on now."""
    host, port = parse_address(text)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise ListenError(f"cannot listen on {text}: {error.strerror}") from error
