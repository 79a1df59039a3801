"""Write the table of roles in docs/containment.md from the roles themselves.

python docs/make_role_table.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jsupervisor.containment.roles import FAMILIES, FOREIGN, NONE, ROLES, Rights, Role

PAGE: Final = Path(__file__).parent / "containment.md"
BEGIN: Final = "<!-- roles: written by docs/make_role_table.py -->\n"
END: Final = "<!-- end of roles -->\n"
WORDS: Final = {
    "{own}": "`RUN/NAME`",
    "{ports}": "the folders of its ports' sockets",
    "{notes}": "`RUN/links`",
}


def table() -> str:
    """The table in Markdown."""
    lines = [
        "| role | writes | reads besides code | sockets | capabilities kept | starts programs | memory, files, threads |",
        "|---|---|---|---|---|---|---|",
    ]
    for role in ROLES.values():
        if role.confined:
            lines.append(_row(f"`{role.name}`", role.rights, role))
            lines += [_row(f"- with a port `{kind}:`", role.ports[kind]) for kind in role.ports]
    lines.append(_loose(ROLES[FOREIGN], "its `limits` and `user` alone hold it"))
    lines.append(_loose(ROLES[NONE], "a uid of its own (root), and no new rights: nothing else"))
    return "\n".join(lines) + "\n"


def _row(name: str, rights: Rights, role: Role | None = None) -> str:
    limits = "" if role is None else f"{role.memory_mb} MiB, {role.files}, {role.processes}"
    cells = (
        name,
        ", ".join(_path(path) for path in rights.writes) or "nothing",
        ", ".join(_path(path) for path in rights.reads) or "nothing",
        ", ".join(FAMILIES[family] for family in rights.families) or "none",
        ", ".join(f"`{capability}`" for capability in rights.capabilities) or "none",
        "" if role is None else "yes" if role.executes else "no",
        limits,
    )
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def _loose(role: Role, words: str) -> str:
    return f"| `{role.name}` | {words} | | | | yes | as the plan says |"


def _path(template: str) -> str:
    return WORDS.get(template) or f"`{template.replace('{home}', 'HOME')}`"


def written(page: str) -> str:
    """The page with the table as it must be."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
