import json

import pytest

from bascule.rego.inspecting import inspect
from bascule.rego.messages import Inspected

ALLOW = "package bascule.authz\ndefault allow := false\nallow if input.user == `ann`\n"


def _why(source: str, data: str = "{}") -> list[str]:
    found = inspect({"a.rego": source}, data)
    return [f"{file}:{line}:{column} {why}" for file, line, column, why in found.faults]


def test_a_sound_document_has_no_faults_and_says_what_is_in_it() -> None:
    tests = "package bascule.authz_test\nimport data.bascule.authz\n"
    tests += "test_it if not authz.allow with input as {`user`: lower(`X`)}\n"
    found = inspect({"a.rego": ALLOW, "a_test.rego": tests}, '{"a":1}')
    assert found.faults == ()
    assert found.rules == ("data.bascule.authz.allow", "data.bascule.authz_test.test_it")
    assert found.builtins == ("lower",)
    assert [one["source"]["file"] for one in json.loads(found.ast)] == ["a.rego", "a_test.rego"]


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("", "a.rego:"),
        ("package a\nallow if {", "a.rego:2:11"),
        ("package a\nallow { true }", "`if` keyword is required"),
        ("package a\n\nx := nobody", "a.rego:3:6 var nobody is unsafe"),
        ("package a\nx := y\ny := x", "recursion detected"),
        ("package a\nx if input.z\ny if f(1)", "there is no function f"),
        ("package a\nx if {\n\tinput.z\n\tcrypto.sha3(1)\n}", "a.rego:4:16 there is no function"),
        ('package a\nx := data["odd name"].f(1)', "there is no function data.odd name.f"),
        ("package a\nx := http.send({})", "http.send is not available: a policy cannot call out"),
        ("package a\nx := {1: 2", "a.rego:2"),
        ("package a\nf(x) := f(x)", "data.a.f calls itself, which has no end"),
    ],
)
def test_a_fault_says_where_and_why(source: str, fault: str) -> None:
    found = _why(source)
    assert any(fault in one for one in found), found
    assert not any("\n" in one or "backtrace" in one for one in found)


def test_every_module_that_does_not_parse_is_named() -> None:
    found = inspect({"b.rego": "package", "a.rego": ALLOW, "c.rego": "x"}, "{")
    assert [one[0] for one in found.faults] == ["b.rego", "c.rego", "data.json"]
    assert found.ast == b"[]"


def test_faults_are_bounded() -> None:
    source = "package a\n" + "".join(f"x{number} := nobody(1)\n" for number in range(500))
    assert len(inspect({"a.rego": source}, "{}").faults) == 20


@pytest.mark.parametrize(
    ("data", "hides"),
    [
        ('{"bascule":{"authz":{"allow":true}}}', True),
        ('{"bascule":{"authz":{"allow":{"a":1}}}}', True),
        ('{"bascule":{"authz":1}}', True),
        ('{"bascule":[]}', True),
        ('{"bascule":{"authz":{"limit":1}}}', False),
        ('{"bascule":{"allow":true}}', False),
    ],
)
def test_data_cannot_stand_in_for_a_rule(data: str, hides: bool) -> None:
    found = _why(ALLOW, data)
    assert bool(found) is hides
    assert all("the data has a value at data.bascule.authz.allow" in one for one in found)


def test_an_error_that_only_an_empty_input_brings_is_no_fault() -> None:
    source = "package a\nx := to_number(object.get(input, `n`, `none`))\ny if time.now_ns() > 1\n"
    assert inspect({"a.rego": source}, "{}") == Inspected(
        (), inspect({"a.rego": source}, "{}").ast, ("data.a.x", "data.a.y"),
        ("object.get", "time.now_ns", "to_number"),
    )  # fmt: skip


def test_values_that_only_rego_can_hold_are_no_fault() -> None:
    module = 'package a\nx contains {"code": 1}\ny[[1, 2]] := 3\nz := {{1, 2}}\n'
    assert inspect({"a.rego": module}, "{}").faults == ()
