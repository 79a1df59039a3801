"""The table of names."""

from __future__ import annotations

import pytest

from jsupervisor.runtime.names import NAMES, DaemonName, daemon_name, executable_of


def test_the_table_is_keyed_by_executable_and_cli_names_are_unique() -> None:
    cli_names = [name.cli_name for name in NAMES.values()]

    assert [name.executable for name in NAMES.values()] == list(NAMES)
    assert len(cli_names) == len(set(cli_names))


def test_rpd_is_routing() -> None:
    assert DaemonName("rpd", "routing", "Routing protocols process") == daemon_name("rpd")


def test_a_program_that_is_not_in_the_table_goes_by_its_own_name() -> None:
    assert DaemonName("probe", "probe", "probe process") == daemon_name("probe")


@pytest.mark.parametrize(
    ("module", "executable"), [("rpd", "rpd"), ("pfectl12", "pfectl"), ("pfe0", "pfe"), ("7", "7")]
)
def test_a_unique_name_is_an_executable_and_a_number(module: str, executable: str) -> None:
    assert executable == executable_of(module)
