"""What init's answers about descriptors mean."""

from __future__ import annotations

import pytest

from jsupervisor.runtime.descriptors import (
    DescriptorError,
    DescriptorExists,
    check_drop,
    check_get,
    check_put,
)


def test_done_is_done() -> None:
    check_put("a/b", {"op": "done"})
    check_drop("a/b", {"op": "done"})

    assert 5 == check_get("a/b", {"op": "done"}, [5])


def test_what_is_not_there_is_none_and_need_not_be_dropped() -> None:
    answer = {"op": "refused", "why": "there is no a/b"}
    check_drop("a/b", answer)

    assert check_get("a/b", answer, []) is None


def test_a_key_that_is_taken_is_refused() -> None:
    with pytest.raises(DescriptorExists, match="cannot put a/b: a/b exists"):
        check_put("a/b", {"op": "refused", "why": "a/b exists"})


def test_another_modules_key_is_an_error() -> None:
    answer = {"op": "refused", "why": "rpd may not use a/"}
    with pytest.raises(DescriptorError, match="cannot get a/b: rpd may not"):
        check_get("a/b", answer, [])
    with pytest.raises(DescriptorError, match="cannot drop a/b: rpd may not"):
        check_drop("a/b", answer)
