"""The sections [log] and [metrics] of a profile."""

from __future__ import annotations

import tomllib

import pytest

from jsupervisor.jlaunchd.reader import PlanError, Section
from jsupervisor.jlaunchd.watchreader import read_listen, read_log
from jsupervisor.runtime.rotate import Rule


def section(text: str) -> Section:
    return Section("x.toml", "", tomllib.loads(text))


def test_without_a_section_the_defaults_hold() -> None:
    assert Rule() == read_log(section(""))
    assert "" == read_listen(section(""))


def test_sizes_have_junos_units() -> None:
    rule = read_log(section('[log]\nsize = "128k"\nfiles = 3\ntotal = "2g"'))

    assert Rule(size=128 << 10, files=3, total=2 << 30) == rule
    assert 65536 == read_log(section('[log]\nsize = "65536"')).size
    assert 1 << 30 == read_log(section('[log]\nsize = "1g"\ntotal = "1g"')).size


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('size = "63k"', "log.size: '63k' is not a size from 64k to 1g"),
        ('size = "2g"', "log.size"),
        ('size = "1 m"', "log.size"),
        ('size = "-1m"', "log.size"),
        ('size = "1.5m"', "log.size"),
        ('size = ""', "log.size"),
        ("size = 1000000", "log.size: 1000000 is not a string"),
        ('total = "x"', "log.total"),
        ('size = "1m"\ntotal = "64k"', "log.total: is less than the size of one file"),
        ("files = 0", "log.files: 0 is not a whole number from 1 to 1000"),
        ("files = 1001", "log.files"),
        ('files = "10"', "log.files"),
        ("age = 3", "log.age: unknown key"),
    ],
)
def test_what_is_no_rule_is_refused_with_file_and_key(text: str, why: str) -> None:
    with pytest.raises(PlanError, match=r"cannot use profile x\.toml: ") as caught:
        read_log(section(f"[log]\n{text}"))

    assert why in str(caught.value)


def test_an_address_is_taken_as_it_is() -> None:
    assert "127.0.0.1:9464" == read_listen(section('[metrics]\nlisten = "127.0.0.1:9464"'))


@pytest.mark.parametrize("text", ['listen = "9464"', "listen = 9464", "port = 1"])
def test_what_is_no_address_is_refused_with_file_and_key(text: str) -> None:
    with pytest.raises(PlanError, match=r"cannot use profile x\.toml: metrics"):
        read_listen(section(f"[metrics]\n{text}"))
