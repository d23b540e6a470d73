"""Policies and inputs by chance: small worlds, in which much depends on a few values."""

from random import Random
from typing import Any

NAMES = ("user", "tool", "arguments", "a", "b", "name")
TOP = ("user", "tool", "arguments")
CONSTANTS = ('"ann"', "1", "true", "false", "null", "{}", '{"a": 1}', '"a"')
VALUES: tuple[Any, ...] = (None, True, False, 1, "ann", "a", {}, [], {"a": 1}, ["ann", "a"])
FLAT = ("input", "input", "input", "q")
HEADS = (*FLAT, "x", "x", "y", "y", "t", "u", "d", "o.a", "n.m", "data.bascule.authz.t")

_STATEMENTS = (
    "{one}",
    "{one} == {constant}",
    "not {one} == {constant}",
    "{one} != {other}",
    "{one} != {constant}",
    "not {one}",
    "not {one}.a",
    "some v0 in {one}; v0 != {constant}",
    "some k0, _ in {one}; not {other}[k0]",
    "every v0 in {one} {{ v0 != {constant} }}",
    'object.get({one}, ["a", "b"], 1) != {constant}',
    'object.get({one}, "name", 1) == {constant}',
    "c({one})",
    "not c({one})",
    "f({one}) != {constant}",
    "count([1 | {one}]) == 1",
    "count([z0 | z0 := {one}; z0.a]) != 1",
    'lib.ok with input as {{"user": {one}}}',
    "not lib.ok with input as {one}",
    "not lib.ok with input.user as {one}",
    "lib.ok with input.tool.name as {one}",
    "not lib.ok with data.lib.more as {one}",
    "not {constant} in s",
    "not {one} in s",
    "some v0 in s; v0 != {constant}",
    "not e[{constant}]",
    "e[{one}]",
    "d.a != {constant}",
    'object.get({one}, "name", {other}) == {constant}',
    "o[{one}] != {constant}",
    "not l[{one}]",
    "walk({one}, [_, v0]); v0 != {constant}",
    "is_object({one})",
    "v0 = {one}; v0.a != {constant}",
    '{{"a": v0}} = {one}; v0 != {constant}',
    "[v0, _] := [{one}, {other}]; not v0.a",
    "v0 := {one}; not v0.a",
    "v0 := {one}",
    "v0 := f({one}); not v0.a",
    "v0 := m({one}, {other}); v0.a",
    'v0 := {{"a": {one}}}; v0.a.b != {constant}',
)


def a_policy(chance: Random) -> list[str]:
    """The modules of a policy. Not every one is accepted by an engine."""
    imported = chance.choice(["input", "input.tool", "input.arguments.a"])
    handed_on = chance.choice(["p", "p.a", "p.tool", "p[_]", "w", "w.a"])
    # What others depend on must not depend on them: neither engine takes recursion.
    plain = _body(chance, FLAT).replace("f(", "c(").replace(" m(", " w2(")
    main = f"""package bascule.authz
import {imported} as q
import data.lib
allow if {{ {_body(chance, HEADS)} }}
allow if {{ {_body(chance, HEADS)} }}
reason := {_value(chance, ("input", "q", "t", "u"))} if {{ {_body(chance, HEADS)} }}
t := {_path(chance, FLAT)}
u := {_path(chance, FLAT)} if {{ {plain} }} else := input.a
f(p) := {handed_on} if {{ w := p.b; not p.name == {chance.choice(CONSTANTS)} }}
c(p) if not p.{chance.choice(NAMES)} == {chance.choice(CONSTANTS)}
m(p, r) := p if not r.a
w2(p, r) := r if p
h("k", p) := p
h("l", p) := input.b
s contains {_path(chance, FLAT)}
o[k] := {_path(chance, FLAT)} if some k in ["a", "b"]
n.m := {_path(chance, FLAT)}
e[{_path(chance, FLAT)}] := 1
l := {{"ann": 1, "a": 2, "true": 3}}
d := {_path(chance, FLAT)}
d := {_path(chance, FLAT)} if {{ {plain} }}
"""
    lib = f"""package lib
ok if input.user == "ann"
ok if input.tool.name != {chance.choice(CONSTANTS)}
ok if more.a
more := input.b
g(z) := z.{chance.choice(NAMES)}
"""
    return [main, lib]


def an_input(chance: Random) -> dict[str, Any]:
    """Three members that are always there, and some that are not."""
    optional = [name for name in NAMES if name not in TOP and chance.random() < 0.6]
    return {name: _json(chance, 3) for name in (*TOP, *optional)}


def _json(chance: Random, depth: int) -> Any:
    if depth == 0 or chance.random() < 0.15:
        return chance.choice(VALUES)
    missing = 0.1 if chance.random() < 0.7 else 0.6
    return {name: _json(chance, depth - 1) for name in NAMES if chance.random() > missing}


def _path(chance: Random, heads: tuple[str, ...]) -> str:
    head = chance.choice(heads)
    steps = chance.choice([1, 1, 1, 2, 2, 3])
    if head != "input" or chance.random() < 0.02:
        steps -= 1
    names = [chance.choice(NAMES) for _ in range(steps)]
    if head == "input" and names:
        names[0] = chance.choice((*TOP, *NAMES))
    return head + "".join(chance.choice([".{}", '["{}"]']).format(name) for name in names)


def _value(chance: Random, heads: tuple[str, ...]) -> str:
    wraps = ["{}"] * 12 + ["{}[_]", "f({})", "lib.g({})", 'h("k", {})', 'h("k", {}).a', "f({}).b"]
    return chance.choice(wraps).format(_path(chance, heads))


def _statement(chance: Random, heads: tuple[str, ...], place: int) -> str:
    # Named here, so that no two statements of a body bind the same name.
    text = chance.choice(_STATEMENTS)
    for name in ("v0", "k0", "z0"):
        text = text.replace(name, f"{name[0]}{place}")
    one, other = _value(chance, heads), _value(chance, heads)
    return text.format(one=one, other=other, constant=chance.choice(CONSTANTS))


def _body(chance: Random, heads: tuple[str, ...]) -> str:
    parts = [_statement(chance, heads, place) for place in range(chance.choice([1, 1, 2, 3]))]
    if "x" in heads:
        parts[:0] = [
            f"x := {_path(chance, FLAT)}",
            f"y := {_value(chance, (*FLAT, 'x', 'x', 'x'))}",
        ]
    return "; ".join(parts)
