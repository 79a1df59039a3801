"""What the commands have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsupervisor.cli.common import (
    ask_status,
    find_instance,
    print_json,
    require_existing,
    sweep_if_dead,
)
from jsupervisor.cli.errors import CliError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jsupervisor.cli.conftest import MakeInit


def test_a_bad_name_is_wrong_input(home: Path) -> None:
    with pytest.raises(CliError, match="cannot use 'A'") as raised:
        find_instance("A")

    assert 2 == raised.value.code


def test_every_command_removes_what_a_dead_init_left(make_init: MakeInit) -> None:
    init = make_init()
    init.die()

    assert init.instance.run_dir.exists()
    assert not find_instance("default").run_dir.exists()


def test_a_living_instance_is_left_alone(make_init: MakeInit) -> None:
    init = make_init()

    assert not sweep_if_dead(init.instance)
    assert init.instance.init_socket.exists()


def test_an_instance_that_was_never_started_does_not_exist(home: Path) -> None:
    with pytest.raises(CliError, match="cannot find instance default"):
        require_existing(find_instance("default"))


def test_the_status_is_inits_own(make_init: MakeInit) -> None:
    init = make_init()

    assert init.status() == ask_status(init.instance)
    assert init.instance == require_existing(init.instance)


def test_json_keeps_the_order_of_keys(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"b": 1, "a": None})

    assert '{\n  "b": 1,\n  "a": null\n}\n' == capsys.readouterr().out
