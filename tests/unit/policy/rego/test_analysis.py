import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
import regorus
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.policy.rego.analysis import reads_of
from fakes.rego_policies import a_policy, an_input

Answer = tuple[object, object]


def engine_of(modules: Mapping[str, str]) -> Any:
    engine = regorus.Engine()
    for name, module in modules.items():
        engine.add_policy(name, module)
    return engine


def named(*modules: str) -> dict[str, str]:
    return {f"m{place}.rego": module for place, module in enumerate(modules)}


def reads(body: str, *others: str) -> tuple[set[str] | None, bool]:
    modules = named(f"package bascule.authz\nimport rego.v1\n{body}", *others)
    paths, uses_time = reads_of(engine_of(modules).get_ast_as_json(), modules)
    return None if paths is None else {".".join(one) for one in paths}, uses_time


LIB = """package lib
import rego.v1
ok if input.user == "ann"
mild(tool) if tool.risk == "read"
never if input.agent
"""


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("allow := true", set()),
        ('allow if input.tool.risk == "read"', {"tool.risk"}),
        ('allow if input["tool"]["risk"] == "read"', {"tool.risk"}),
        ('allow if input["to\\u006fl"].risk == "read"', {"tool.risk"}),
        ('allow if { x := input; y := x.tool; y.risk == "read" }', {"tool.risk"}),
        ('allow if { x = input.tool; x.risk == "read" }', {"tool"}),
        ("allow if { x := input.arguments }", {"arguments"}),
        ('allow if { x := input.arguments; not x.amount == "a" }', {"arguments.amount"}),
        ("allow if input.arguments[input.kind]", {"arguments", "kind"}),
        ("allow if input[input.kind]", None),
        ("allow if { some k; input[k] }", None),
        ("allow if { some role in input.roles; role in input.groups }", {"roles", "groups"}),
        ('allow if every one in input.tool.tags { one != "pii" }', {"tool.tags"}),
        ("allow if walk(input, [_, 1])", None),
        ("allow if walk(input.arguments, [_, 1])", {"arguments"}),
        ('allow if object.get(input, ["arguments", "n"], 0) > 1', {"arguments.n"}),
        ('allow if object.get(input.tool, "risk", "") == "read"', {"tool.risk"}),
        ("allow if object.get(input.tool, input.kind, 0) > 1", {"tool", "kind"}),
        ('allow if mild(input.tool)\nmild(t) if t.risk == "read"', {"tool.risk"}),
        ("allow if odd(input.tool)\nodd({}) := true", {"tool"}),
        ("allow if same(input.user, input.agent)\nsame(x, x) := true", {"user", "agent"}),
        ("allow if inner(input).risk == 1\ninner(x) := x.tool", {"tool.risk"}),
        ('tool := input.tool\nallow if tool.risk == "read"', {"tool.risk"}),
        ("tool := input.tool\nallow if tool", {"tool"}),
        ("tool := input.tool\ntool := input.arguments\nallow if tool.x", {"tool", "arguments"}),
        ("unused if input.agent\nallow if input.user", {"user"}),
        ("allow if input.user\nreason := input.agent", {"user", "agent"}),
        ('a.b.c := input.tool\nallow if a.b.c.risk == "read"', {"tool.risk"}),
        ("a.b.c := input.tool\nallow if a.b == {}", {"tool"}),
        ("p[k] := input.tool if some k in [1]\nallow if p[1].risk", {"tool"}),
        ("allow if time.now_ns() > 5", {"time_ns"}),
        ("allow if f(1)\nf(_) := time.clock(time.now_ns())", {"time_ns"}),
        ("allow if -input.arguments.n < 1 + input.arguments.m", {"arguments.n", "arguments.m"}),
        ("allow if count({x | x := input.user} | {input.agent}) > 1", {"user", "agent"}),
        ("allow if {k: v | some k, v in input.arguments} == {}", {"arguments"}),
        ("allow if [1 | input.user] == [null, `r`, 1.5, true]", {"user"}),
        ("bad contains input.user\nallow if count(bad) == 0", {"user"}),
        ("allow if data.bascule.authz.x\nx := input.user", {"user"}),
        ("allow if input.user else := input.agent", {"user", "agent"}),
        ('import input.tool\nallow if tool.risk == "read"', {"tool.risk"}),
        ('import input.tool as t\nallow if t.risk == "read"', {"tool.risk"}),
        ('# é\nimport input.tool as t\nallow if t.risk == "read"', {"tool.risk"}),
    ],
)
def test_what_is_read_is_found(body: str, paths: set[str] | None) -> None:
    assert reads(body) == (paths, False)


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("import data.lib\nallow if lib.ok", {"user"}),
        ("import data.lib as l\nallow if l.mild(input.tool)", {"tool.risk"}),
        ("allow if data.lib.mild(input.tool)", {"tool.risk"}),
        ("allow if data.lib.ok", {"user"}),
        ("allow if data.lib[input.kind]", {"kind", "user", "agent"}),
        ('allow if data.lib.ok with input as {"user": input.agent}', {"user", "agent"}),
        ("allow if data.lib.ok with input as object.union(input, {})", None),
        ("allow if data.lib.ok with input.user as input.agent", {"user", "agent"}),
        ("allow if data.users[input.user]", {"user"}),
        ("allow if data.users.ann with data.users as input.groups", {"groups"}),
    ],
)
def test_other_packages_are_followed_as_far_as_they_are_used(
    body: str, paths: set[str] | None
) -> None:
    assert reads(body, LIB) == (paths, False)


@pytest.mark.parametrize(
    "body",
    [
        'allow if { x := f(1); x > 5 }\nf(_) := rand.intn("a", 2)',
        'allow if rand.intn("a", 2) == 1',
        'allow if uuid.rfc4122("a") != ""',
        'allow if opa.runtime().env.HOME == "/"',
        'allow if http.send({"method": "get", "url": "http://127.0.0.1"}).body',
        'allow if io.jwt.decode_verify(input.user, {"secret": "x"})[0]',
    ],
)
def test_what_depends_on_more_than_the_input_is_noticed(body: str) -> None:
    assert reads(body)[1]


def test_a_function_in_place_of_another_makes_everything_count() -> None:
    body = "allow if f(input.tool) with f as g\nf(x) := x.risk\ng(x) := x.name"
    assert reads(body) == (None, True)
    assert reads("allow if count(input.roles) == 1 with count as 1") == (None, True)


def test_a_function_that_hides_a_built_in_one_is_not_trusted_to_be_called() -> None:
    assert reads("allow if count(input.tool) == 1\ncount(x) := x.risk") == ({"tool"}, False)


@pytest.mark.parametrize(
    "ast",
    ["", "{}", "[1]", "[{}]", '[{"ast": {"package": {}}}]', "[" * 5000, '"text"', "null"],
)
def test_of_what_is_no_syntax_tree_everything_counts(ast: str) -> None:
    assert reads_of(ast, {}) == (None, True)


def test_of_an_unknown_kind_of_expression_everything_counts() -> None:
    ast = engine_of(named("package bascule.authz\nallow if input.user")).get_ast_as_json()
    assert reads_of(ast, {})[0] == {("user",)}
    for kind in ("RefDot", "Spec", "Compr", "Expr"):
        assert reads_of(ast.replace(f'"{kind}"', '"New"'), {}) == (None, True)


def test_a_name_that_cannot_be_found_out_makes_everything_count() -> None:
    module = "package bascule.authz\nimport input.tool as t\nallow if t.risk"
    ast = engine_of({"a.rego": module}).get_ast_as_json()
    assert reads_of(ast, {"a.rego": module})[0] == {("tool", "risk")}
    assert reads_of(ast, {}) == (None, True)
    assert reads_of(ast, {"a.rego": "package x\n"}) == (None, True)


def test_tests_do_not_count() -> None:
    modules = {
        "a.rego": "package bascule.authz\nallow if input.user",
        "a_test.rego": "package bascule.authz\nallow if input.agent",
    }
    assert reads_of(engine_of(modules).get_ast_as_json(), modules) == (
        frozenset({("user",)}),
        False,
    )


def test_paths_that_lead_very_deep_are_cut() -> None:
    endless = "allow if f(input.arguments)\nf(x) if f(x.a)"
    assert reads(endless) == ({"arguments.a.a.a.a.a.a.a"}, False)
    deep = "allow if { x := input.a.b.c.d.e; y := x.f.g.h.i; y.j == 1 }"
    assert reads(deep) == ({"a.b.c.d.e.f.g.h"}, False)


def test_a_document_that_takes_too_long_to_go_through_reads_everything() -> None:
    rules = [f"r{number} if data.bascule.authz[input.kind]" for number in range(900)]
    assert reads("\n".join(["allow if r1", *rules])) == (None, True)


def test_a_policy_that_reads_very_many_places_reads_everything() -> None:
    tests = "\n".join(f"allow if input.arguments.a{number} == 1" for number in range(300))
    assert reads(tests) == (None, False)


# --- equal at all paths that are read: equal answers ---


def at(document: Any, path: tuple[str, ...]) -> object:
    """The value there, or how far there was one and of what type."""
    for depth, name in enumerate(path):
        if not isinstance(document, dict) or name not in document:
            return (depth, type(document))
        document = document[name]
    return json.dumps(document, sort_keys=True)


def transplanted(source: Any, target: Any, path: tuple[str, ...]) -> Any:
    """`target` with that at `path` which is there in `source`, or as much of it as there is."""
    if not path or not isinstance(source, dict):
        return source
    kept = dict(target) if isinstance(target, dict) else {}
    if path[0] in source:
        kept[path[0]] = transplanted(source[path[0]], kept.get(path[0]), path[1:])
    else:
        kept.pop(path[0], None)
    return kept


def answer(engine: Any, document: Mapping[str, object]) -> Answer:
    return (_value(engine, document, "allow"), _value(engine, document, "reason"))


def _value(engine: Any, document: Mapping[str, object], name: str) -> object:
    fresh = engine.clone()  # one that has failed may answer differently from then on
    fresh.set_input_json(json.dumps(document))
    try:
        return fresh.eval_rule_as_json(f"data.bascule.authz.{name}")
    except RuntimeError:
        return "failed"


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0))
def test_inputs_equal_in_all_that_is_read_have_equal_answers(seed: int) -> None:
    chance = Random(seed)
    policy, one = named(*a_policy(chance)), an_input(chance)
    try:
        engine = engine_of(policy)
    except RuntimeError:
        return  # not a policy that is accepted
    paths, uses_time = reads_of(engine.get_ast_as_json(), policy)
    assert not uses_time
    expected = answer(engine, one)
    for _ in range(5):
        other = an_input(chance)
        for path in sorted(paths if paths is not None else [()]):
            other = transplanted(one, other, path)
        assert answer(engine, other) == expected, (paths, one, other, policy)
