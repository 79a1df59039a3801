"""The configuration as the items of the feed `config`: one for each part that somebody watches.

Values are JSON with sorted keys, so that equal content is equal bytes and nobody hears of a change
that is none. What is inactive is not in the tree any more.
"""

from __future__ import annotations

import json

from jdaemons.mgd.tree import Tree, Value, branch


def parts(tree: Tree) -> dict[str, bytes]:
    """Items by key: "system", "interfaces/NAME", "routing-options/static/FAMILY/PREFIX"."""
    items: dict[str, Value] = {}
    if system := branch(tree, "system"):
        items["system"] = system
    for name, interface in branch(tree, "interfaces").items():
        items[f"interfaces/{name}"] = interface
    for prefix, route in branch(tree, "routing-options", "static", "route").items():
        items[f"routing-options/static/inet/{prefix}"] = _route(route)
    rib = ("routing-options", "rib", "inet6.0", "static", "route")
    for prefix, route in branch(tree, *rib).items():
        items[f"routing-options/static/inet6/{prefix}"] = _route(route)
    return {key: _encode(value) for key, value in items.items()}


def _route(route: Value) -> Value:
    assert isinstance(route, dict)
    return route


def _encode(value: Value) -> bytes:
    numbers = ("mtu", "preference")
    plain: object = value
    if isinstance(value, dict):
        plain = {k: int(v) if k in numbers and isinstance(v, str) else v for k, v in value.items()}
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()
