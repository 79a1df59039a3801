"""Reading Junos' text: what it gives, what it refuses, and that no text at all does harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdaemons.mgd.syntax import MAX_DEPTH, MAX_PROBLEMS, MAX_TEXT, Place, Statement, parse


def shape(statement: Statement) -> object:
    """A statement as nested lists of words, to compare with."""
    words = [word.text for word in statement.words]
    if statement.children is None:
        return words
    return [*words, [shape(child) for child in statement.children]]


def shapes(text: str) -> list[object]:
    statements, problems = parse(text)
    assert [] == problems
    return [shape(statement) for statement in statements]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a;", [["a"]]),
        ("a b;c d ;", [["a", "b"], ["c", "d"]]),
        ("a { b 1; c { } }", [["a", [["b", "1"], ["c", []]]]]),
        ("next-hop [ 1.1.1.1 2.2.2.2 ];", [["next-hop", "1.1.1.1", "2.2.2.2"]]),
        ('description "two words; {";', [["description", "two words; {"]]),
        (r'description "a \"quoted\" \\ word";', [["description", 'a "quoted" \\ word']]),
        ("# no\na; ## no }\n/* { */ b /* c\nd */ e;", [["a"], ["b", "e"]]),
        (";; a;", [["a"]]),
        ("route 10.0.0.0/8 discard;", [["route", "10.0.0.0/8", "discard"]]),
    ],
)
def test_a_text_is_statements_of_words(text: str, expected: list[object]) -> None:
    assert expected == shapes(text)


def test_a_word_in_brackets_is_known_to_stand_in_a_list() -> None:
    statements, _ = parse("a b [ c d ];")

    assert [False, False, True, True] == [word.listed for word in statements[0].words]


def test_a_statement_behind_inactive_is_marked_and_the_word_is_not_part_of_it() -> None:
    statements, problems = parse("inactive: unit 0 { a; } description inactive:;")

    assert [] == problems
    assert [True, False] == [statement.inactive for statement in statements]
    assert ["unit", "0"] == [word.text for word in statements[0].words]


def test_every_word_knows_its_line_and_column() -> None:
    statements, _ = parse('a {\n  bb "c d"; /* x\n y */ e;\n}')
    first, second = statements[0].children or ()

    assert [Place(2, 3), Place(2, 6)] == [word.place for word in first.words]
    assert [Place(3, 7)] == [word.place for word in second.words]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a", 1, 2, "syntax error, expecting ';' or '{'"),
        ("a {", 1, 4, "syntax error, expecting '}'"),
        ("a;\n }", 2, 2, "syntax error, '}' without '{'"),
        ("{ a; }", 1, 1, "syntax error at '{'"),
        ("a [ b ;", 1, 3, "syntax error, '[' without ']'"),
        ("a ]", 1, 3, "syntax error, expecting ';' or '{'"),
        ('a "b;\nc;', 1, 3, "syntax error, '\"' without another in the same line"),
        ("a; /* b;\nc;", 1, 4, "syntax error, '/*' without '*/'"),
        ("inactive: ;", 1, 11, "syntax error at ';'"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, line: int, column: int, message: str) -> None:
    _, problems = parse(text)

    assert (Place(line, column), message) == (problems[0].place, problems[0].message)


def test_reading_goes_on_after_a_mistake() -> None:
    statements, problems = parse("a ] b;\nc d;\ne ] f;\ng;")

    assert [1, 3] == [problem.place.line for problem in problems if problem.place]
    assert [["c", "d"], ["g"]] == [shape(statement) for statement in statements]


def test_braces_may_be_nested_as_deep_as_the_limit_and_no_deeper() -> None:
    def nested(depth: int) -> str:
        return "a { " * depth + "b; " + "} " * depth

    assert [] == parse(nested(MAX_DEPTH))[1]
    assert any("nested deeper" in problem.message for problem in parse(nested(MAX_DEPTH + 1))[1])
    assert parse("a{" * 10_000)[1]


def test_a_text_that_is_too_long_is_not_read_at_all() -> None:
    statements, problems = parse(" " * (MAX_TEXT + 1))

    assert ((), None) == (statements, problems[0].place)


@pytest.mark.parametrize("piece", ['"\\" \n', "/* ", "{", "} ", "[ ", "a { ] ", '" \n', "]"])
def test_the_problems_of_a_text_full_of_mistakes_are_counted_out(piece: str) -> None:
    _, problems = parse(piece * 10_000)

    assert 1 <= len(problems) <= MAX_PROBLEMS


@given(st.text())
def test_no_text_raises_anything(text: str) -> None:
    parse(text)


@given(st.text(alphabet='ab \n;{}[]"\\/*#:'))
def test_no_text_of_signs_raises_anything(text: str) -> None:
    _, problems = parse(text)

    assert all(problem.place is not None for problem in problems)
