"""The public harness: what it exports is there, is documented, and costs nothing until it is used."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

from jsupervisor import testing

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "test-with-jsupervisor.md"


@pytest.mark.parametrize("name", testing.__all__)
def test_an_exported_name_is_there_and_says_what_it_is(name: str) -> None:
    exported = getattr(testing, name)

    assert name == exported.__name__
    assert inspect.getdoc(exported)


@pytest.mark.parametrize("name", ["Router", "AsyncRouter", "Traffic"])
def test_every_public_method_is_documented_and_typed(name: str) -> None:
    methods = inspect.getmembers(getattr(testing, name), inspect.isroutine)
    public = {key: method for key, method in methods if not key.startswith("_")}

    assert [] == [key for key, method in public.items() if not inspect.getdoc(method)]
    assert [] == [
        key
        for key, method in public.items()
        if "return" not in get_type_hints(inspect.unwrap(method))
    ]


def test_both_routers_have_the_same_methods() -> None:
    def public(router: type[object]) -> set[str]:
        return {name for name in vars(router) if not name.startswith("_")}

    # A process handle is for the blocking one; the other waits in trio.
    assert public(testing.AsyncRouter) <= public(testing.Router)


def test_the_page_shows_every_way_in() -> None:
    text = PAGE.read_text()

    assert [] == [
        name for name in ("Router", "AsyncRouter", "HostPlan", "Traffic") if name not in text
    ]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Switch'"):
        testing.Switch  # noqa: B018


def test_importing_it_loads_neither_grpc_nor_trio() -> None:
    code = "import sys, jsupervisor.testing; print(sorted({'grpc', 'trio'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )

    assert "[]" == done.stdout.strip()
