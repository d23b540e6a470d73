import json
from typing import Any

import pytest
import regorus

from bascule.policy.rego.syntax import (
    Definition,
    NotUnderstood,
    Place,
    Riddle,
    definitions_of,
    heads_of,
    kind_of,
    name_of,
    statements_of,
    steps_of,
)


def trees(modules: dict[str, str]) -> list[Any]:
    engine = regorus.Engine()
    for name, module in modules.items():
        engine.add_policy(name, module)
    return json.loads(engine.get_ast_as_json())


def defined(module: str) -> list[Definition]:
    modules = {"a.rego": module}
    return list(definitions_of(trees(modules), modules))


def test_a_definition_knows_its_place() -> None:
    found = defined(
        'package p.q\na := 1\nb.c := 2\nd["e-f"].g := 3\nh contains 1\ni[x] := 4 if x := 5\n'
        "j(x) := x\ndefault k := 6\ndefault l(_) := 7\n"
    )
    assert [".".join(one.path) for one in found] == [
        "p.q.a",
        "p.q.b.c",
        "p.q.d.e-f.g",
        "p.q.h",
        "p.q.i",
        "p.q.j",
        "p.q.k",
        "p.q.l",
    ]
    assert [one.params is not None for one in found] == [False] * 5 + [True, False, True]
    assert [len(one.keys) for one in found] == [0, 0, 0, 1, 1, 0, 0, 0]


def test_only_a_single_value_at_a_fixed_place_is_plain() -> None:
    found = defined(
        "package p\na := 1\nb if true else := 2\nc contains 1\nd[x] := 1 if x := 1\n"
        "e(x) := x\nf[1] := 2\n"
    )
    assert [one.is_plain for one in found] == [True, True, False, False, True, False]


def test_all_values_of_a_definition_are_found() -> None:
    (one,) = defined("package p\na := 1 if false else := 2 if false else := 3\n")
    assert [value["Number"]["value"] for value in one.values] == [1, 2, 3]
    assert len(one.queries) == 3


def test_names_of_imports_are_found_out() -> None:
    (one,) = defined(
        '# ä\npackage p["q-r"]\nimport rego.v1\nimport data.lib\nimport data.a.b as c\n'
        "import input.tool\nimport input.arguments as args\nimport input as whole\nx := 1\n"
    )
    assert one.scope.package == ("p", "q-r")
    assert one.scope.imports == {
        "lib": Place("data", ("lib",)),
        "c": Place("data", ("a", "b")),
        "tool": Place("input", ("tool",)),
        "args": Place("input", ("arguments",)),
        "whole": Place("input", ()),
    }


def test_tests_define_nothing_that_decides() -> None:
    modules = {"a.rego": "package p\na := 1", "b_test.rego": "package p\nb := 1"}
    assert [one.path for one in definitions_of(trees(modules), modules)] == [("p", "a")]
    heads = [(file, one.path) for file, one in heads_of(trees(modules))]
    assert heads == [("a.rego", ("p", "a")), ("b_test.rego", ("p", "b"))]


def test_a_reference_is_taken_apart() -> None:
    (one,) = defined('package p\na := input.b["c"][d].e[1] if d := 1\n')
    head, steps = steps_of(one.values[0])
    assert name_of(head) == "input"
    assert steps[:2] == ["b", "c"]
    assert steps[3] == "e"
    assert [isinstance(step, str) for step in steps] == [True, True, False, True, False]


def test_escapes_in_names_are_resolved() -> None:
    (one,) = defined('package p\na := input["\\u0062"][`c`]\n')
    assert steps_of(one.values[0])[1] == ["b", "c"]


@pytest.mark.parametrize(
    "module",
    [
        {},
        {"source": {"file": "a.rego"}},
        {"source": {"file": "a.rego"}, "ast": {"package": {"refr": {}}}},
        {"source": {"file": "a.rego"}, "ast": {"package": {"refr": {"Number": {}}}}},
    ],
)
def test_what_is_no_module_is_not_understood(module: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood):
        list(definitions_of([module], {}))
    try:
        ((_, found),) = heads_of([module])
    except NotUnderstood:
        assert "source" not in module
    else:
        assert isinstance(found, Riddle)
        assert str(found) == "a.rego"


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ({"Spec": {"span": {"line": 7}, "head": {"New": {}}, "bodies": []}}, "a.rego:7"),
        ({"New": {"span": {"line": 8}}}, "a.rego:8"),
        ({"span": {"line": 9}, "New": {}}, "a.rego:9"),
        ({"New": {"span": {"line": "?"}}}, "a.rego"),
        ({"New": {"span": {}}}, "a.rego"),
        ({}, "a.rego"),
        (5, "a.rego"),
    ],
    ids=str,
)
def test_a_rule_that_is_not_understood_leaves_the_others(rule: Any, place: str) -> None:
    (tree,) = trees({"a.rego": "package p\none := 1\ntwo := 2\n"})
    text = json.dumps(tree)
    odd: Any = json.loads(text)
    odd["ast"]["rules"].insert(1, rule)
    (_, one), (file, riddle), (_, two) = heads_of([odd])
    assert isinstance(one, Definition)
    assert isinstance(two, Definition)
    assert (one.path, two.path) == (("p", "one"), ("p", "two"))
    assert isinstance(riddle, Riddle)
    assert (file, str(riddle)) == ("a.rego", place)
    assert riddle.why


def test_a_node_has_one_kind() -> None:
    assert kind_of({"Null": {"value": None}}) == ("Null", {"value": None})
    with pytest.raises(NotUnderstood):
        kind_of({"Null": {"value": None}, "Bool": {"value": True}})


def test_a_node_with_a_part_that_is_not_known_is_not_understood() -> None:
    for node in ({"Null": {}}, {"Null": {"value": None, "more": 1}}, {"New": {"value": 1}}, {}):
        with pytest.raises(NotUnderstood):
            kind_of(node)


def test_a_statement_or_a_version_that_is_not_known_is_not_understood() -> None:
    modules = {"a.rego": "package p\na if input.b with input as 1\n"}
    (tree,) = trees(modules)
    (one,) = definitions_of([tree], modules)
    ((_, changes),) = statements_of(one.queries[0])
    assert len(changes) == 1
    text = json.dumps(tree)
    for old, new in (('"with_mods"', '"changes"'), ('"as"', '"by"')):
        (odd,) = definitions_of([json.loads(text.replace(old, new))], modules)
        with pytest.raises(NotUnderstood):
            list(statements_of(odd.queries[0]))
    for old, new in (('"version": 1', '"version": 2'), ('"is_else"', '"is_other"')):
        with pytest.raises(NotUnderstood):
            list(definitions_of([json.loads(text.replace(old, new))], modules))
