"""`jsupervisor export`: what it refuses."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

import pytest

Cli = Callable[..., "Result"]


class Result(Protocol):
    """See conftest."""

    code: int
    err: str


def test_an_endpoint_is_a_url(cli: Cli) -> None:
    result = cli("export", "otlp", "--endpoint", "127.0.0.1:4318")

    assert 2 == result.code
    assert "jsupervisor: cannot export to '127.0.0.1:4318': write http://HOST:PORT\n" == result.err


def test_without_the_extra_it_says_what_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.startswith(("opentelemetry", "jsupervisor.export"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    result = cli("export", "otlp", "--endpoint", "http://127.0.0.1:4318")

    assert 1 == result.code
    assert "jsupervisor: cannot export: pip install 'jsupervisor[otel]'\n" == result.err


def test_an_instance_that_is_not_there_is_named(cli: Cli) -> None:
    result = cli("export", "otlp", "--endpoint", "http://127.0.0.1:4318", "--name", "none")

    assert 1 == result.code
    assert result.err.startswith("jsupervisor: cannot find instance none: ")
