import json

from bascule.rego.evaluating import fresh_engine
from bascule.rego.syntax import Contents, contents_of, endless


def _contents(*sources: str) -> Contents:
    engine = fresh_engine()
    for number, source in enumerate(sources):
        engine.add_policy(f"{number}.rego", source)
    return contents_of(json.loads(engine.get_ast_as_json()))


def test_rules_have_their_full_paths() -> None:
    source = 'package a.b["c"]\nf(x) := x\np.q["r"] contains 1\nh[k] := 1 if k := 2\n'
    source += "default allow := false\ndefault g(_) := 1\n"
    found = _contents(source)
    paths = [one.path for one in found.rules]
    assert paths == [
        "data.a.b.c.f", "data.a.b.c.p.q.r", "data.a.b.c.h", "data.a.b.c.allow", "data.a.b.c.g",
    ]  # fmt: skip
    assert found.functions == {"data.a.b.c.f", "data.a.b.c.g"}
    assert [one.line for one in found.rules] == [2, 3, 4, 5, 6]


def test_calls_are_found_wherever_they_are_written() -> None:
    source = """package a
x := count([upper(y) | some y in {lower("A")}])
z if { every v in [abs(1)] { not ceil(v) == floor(2) with input as round(1) } }
w := {max([1]): min([2])}[sum([3])] if { object.get({}, "a", 1) } else := sort([1])
f(trim("a", "b")) if true
"""
    assert {one.name for one in _contents(source).calls} == {
        "count", "upper", "lower", "abs", "ceil", "floor", "round", "max", "min", "sum",
        "object.get", "sort", "trim",
    }  # fmt: skip


def test_a_called_rule_has_its_full_path_however_it_is_named() -> None:
    library = 'package lib["é"]\nf(x) := x\n'
    source = (
        'package a\n# ünïcode before\nimport data.lib["é"] as names\nimport data.lib["é"].f\n'
        "g(x) := x\nu := names.f(1)\nv := f(1)\nw := g(1)\nx := data.a.g(1)\ny := count([1])\n"
    )
    names = [one.name for one in _contents(library, source).calls]
    assert names == ["data.lib.é.f", "data.lib.é.f", "data.a.g", "data.a.g", "count"]


def test_a_function_that_comes_back_to_itself_is_found() -> None:
    circle = _contents("package a\nf(x) := g(x)\ng(x) := h(x)\nh(x) := f(x)\n")
    found = endless(circle)
    assert found is not None
    assert found.caller in circle.functions
    itself = endless(_contents("package a\nf(x) := x if x == 0\nf(x) := f(x - 1) if x > 0\n"))
    assert itself is not None
    assert (itself.file, itself.line) == ("0.rego", 3)


def test_functions_that_call_each_other_one_way_are_well() -> None:
    source = "package a\nf(x) := g(g(h(x)))\ng(x) := h(x)\nh(x) := x\nallow if f(g(1))\n"
    assert endless(_contents(source)) is None


def test_a_chain_of_three_thousand_functions_is_followed() -> None:
    chain = "".join(f"f{number}(x) := f{number + 1}(x)\n" for number in range(3_000))
    assert endless(_contents(f"package a\n{chain}f3000(x) := x\n")) is None
    assert endless(_contents(f"package a\n{chain}f3000(x) := f0(x)\n")) is not None
