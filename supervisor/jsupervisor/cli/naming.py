"""Which module a user means: by unique name, executable or CLI name. Pure."""

from __future__ import annotations

from collections.abc import Sequence


class NameProblem(Exception):
    """No module, or more than one, is called so; the text names those there are."""


def resolve(word: str, modules: Sequence[Sequence[str]], action: str) -> str:
    """The unique name behind `word`; raises NameProblem.

    `modules` lists the names of each, the unique one first. `action` is for the error's text:
    "cannot ACTION WORD".
    """
    if any(names[0] == word for names in modules):
        return word
    found = [names[0] for names in modules if word in names]
    if len(found) == 1:
        return found[0]
    if found:
        raise NameProblem(f"cannot {action} {word!r}: that may be {' or '.join(found)}; say which")
    known = ", ".join(dict.fromkeys(names[0] for names in modules)) or "none"
    raise NameProblem(f"cannot {action} {word!r}: there is no such module; there are {known}")
