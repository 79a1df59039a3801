"""A text examined whole: something to commit, or all that is wrong."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jdaemons.mgd.candidate import NOTHING, Candidate, examine

PATH = "interfaces ge-0/0/0 lo0 unit 0 family inet address 192.0.2.1/24"
ROUTES = "routing-options rib inet6.0 static route discard next-hop preference 7"
SIGNS = ["{", "}", ";", "[", "]", "#", "/*", '"', "\n", "inactive:", "system", "host-name"]
KEYWORDS = st.sampled_from([*PATH.split(), *ROUTES.split(), *SIGNS])


def test_a_good_text_gives_its_canonical_form_its_name_and_its_items() -> None:
    examined = examine("system{host-name r1;} interfaces{lo0 unit 0 family inet;}")

    assert isinstance(examined, Candidate)
    assert "r1" == examined.host_name
    assert {"system", "interfaces/lo0"} == set(examined.items)
    assert examined.text.startswith("system {\n    host-name r1;\n}\ninterfaces {\n")


def test_what_is_inactive_stands_in_the_text_and_nowhere_else() -> None:
    examined = examine("system{inactive: host-name r1;} inactive: interfaces{lo0;}")

    assert isinstance(examined, Candidate)
    assert ("", {}) == (examined.host_name, examined.items)
    assert 2 == examined.text.count("inactive: ")


def test_a_bad_text_gives_every_problem_of_form_and_of_meaning() -> None:
    examined = examine("nonsense; interfaces { lo0 unit 0 family inet address 192.0.2.1/24; } }")

    assert isinstance(examined, tuple)
    assert 3 == len(examined)


def test_the_empty_text_is_the_empty_configuration() -> None:
    assert NOTHING == examine(" # nothing\n")


@given(st.lists(KEYWORDS).map(" ".join))
def test_no_text_of_keywords_raises_anything(text: str) -> None:
    examined = examine(text)

    assert isinstance(examined, Candidate | tuple)


@given(st.text())
def test_no_text_raises_anything(text: str) -> None:
    examine(text)
