"""Numbers of system calls, compared with the kernel's headers where they are installed."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from jsupervisor.containment.syscalls import MACHINES, NUMBERS, known, number

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
DEFINE = re.compile(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", re.MULTILINE)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_the_headers(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    there = {name: int(value) for name, value in DEFINE.findall(header.read_text())}

    assert {name: there.get(name) for name in NUMBERS} == {
        name: known(name, machine) for name in NUMBERS
    }


def test_a_call_that_a_machine_has_not_is_none() -> None:
    assert (57, None) == (known("fork", "x86_64"), known("fork", "aarch64"))


@pytest.mark.parametrize(("name", "machine"), [("fork", "aarch64"), ("execve", "riscv64")])
def test_to_make_such_a_call_is_an_error(name: str, machine: str) -> None:
    with pytest.raises(OSError, match=f"{name} on {machine}") as caught:
        number(name, machine)

    assert errno.ENOSYS == caught.value.errno
