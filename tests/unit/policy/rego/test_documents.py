import time
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from bascule.gateway.errors import InvalidValue
from bascule.gateway.inspection import Inspection, RegoUnfit
from bascule.gateway.rego import MOST_DATA_BYTES, MOST_MODULE_BYTES
from bascule.policy.rego import documents
from bascule.policy.rego.documents import document_of, examine, run_tests
from bascule.rego.inspecting import inspect
from bascule.rego.pool import EmbeddedEngine

ALLOW = 'package bascule.authz\n\ndefault allow := false\n\nallow if input.user == "ann"\n'


@pytest.fixture(name="engine")
async def embedded_engine() -> AsyncIterator[EmbeddedEngine]:
    async with EmbeddedEngine(1, 5.0, 512 * 1024 * 1024) as engine:
        yield engine


def test_equal_documents_have_equal_digests_whatever_their_order() -> None:
    one = document_of({"a.rego": "x", "b.rego": "y"}, {"k": 1, "l": [1]})
    same = document_of({"b.rego": "y", "a.rego": "x"}, {"l": [1], "k": 1})
    assert one == same
    assert one.data == '{"k":1,"l":[1]}'
    assert list(one.modules) == ["a.rego", "b.rego"]
    assert one.reads is None
    assert one.uses_time


@pytest.mark.parametrize(
    ("modules", "data"),
    [
        ({"a.rego": "x", "b.rego": "z"}, {}),
        ({"a.rego": "x", "c.rego": "y"}, {}),
        ({"a.rego": "xb.regoy"}, {}),
        ({"a.rego": "x"}, {}),
        ({"a.rego": "x", "b.rego": "y"}, {"k": None}),
        ({"a.rego": "x", "b.rego": "y", "c_test.rego": ""}, {}),
    ],
)
def test_different_documents_have_different_digests(modules: dict[str, str], data: object) -> None:
    assert document_of({"a.rego": "x", "b.rego": "y"}, {}).digest != (
        document_of(modules, data).digest
    )


def test_data_that_differs_by_type_is_different() -> None:
    digests = {document_of({"a.rego": ""}, {"k": one}).digest for one in (1, 1.0, True, "1")}
    assert len(digests) == 4


def test_what_is_done_to_the_modules_later_changes_no_document() -> None:
    modules = {"a.rego": "x"}
    document = document_of(modules, {})
    modules["a.rego"] = "y"
    assert dict(document.modules) == {"a.rego": "x"}


@pytest.mark.parametrize(
    ("modules", "data", "said"),
    [
        ({}, {}, "no modules"),
        ({"only_test.rego": "package x"}, {}, "no modules"),
        ({f"m{place}.rego": "" for place in range(65)}, {}, "65 modules. At most 64"),
        ({"a.rego": "x" * (MOST_MODULE_BYTES + 1)}, {}, "a.rego has 262145 bytes. At most 262144"),
        ({f"{one}.rego": "x" * 250_000 for one in "abc"}, {}, "the modules have 750000 bytes"),
        ({"a.rego": "x\ny\ud800"}, {}, "a.rego:2: a character that is not Unicode"),
        ({"a.txt": ""}, {}, "'a.txt' is no file name"),
        ({"../a.rego": ""}, {}, "no file name"),
        ({"/a.rego": ""}, {}, "no file name"),
        ({"a//b.rego": ""}, {}, "no file name"),
        ({"a\n.rego": ""}, {}, "no file name"),
        ({"a.rego\n": ""}, {}, "no file name"),
        ({"x" * 300 + ".rego": ""}, {}, "no file name"),
        ({".rego": ""}, {}, "no file name"),
        ({"a.rego": ""}, [], "data must be an object"),
        ({"a.rego": ""}, None, "data must be an object"),
        ({"a.rego": ""}, "{}", "data must be an object"),
        ({"a.rego": ""}, {"a": "\ud800"}, "data is nothing that JSON can say"),
        ({"a.rego": ""}, {"a": object()}, "data is nothing that JSON can say"),
        ({"a.rego": ""}, {"a": "x" * MOST_DATA_BYTES}, "data has 10485768 bytes"),
    ],
)
def test_what_is_too_much_or_misnamed_is_refused_in_words(
    modules: dict[str, str], data: Any, said: str
) -> None:
    with pytest.raises(InvalidValue, match=said) as refused:
        document_of(modules, data)
    assert refused.value.details["field"] == "rego"


async def test_a_document_that_can_decide_knows_what_it_reads(engine: EmbeddedEngine) -> None:
    document = await examine(engine, {"authz.rego": ALLOW}, {"users": {}})
    assert document.reads == {("user",)}
    assert not document.uses_time
    assert document.digest == document_of({"authz.rego": ALLOW}, {"users": {}}).digest


@pytest.mark.parametrize("imported", ["", "import rego.v1\n", "import future.keywords\n"])
async def test_the_version_of_the_language_may_be_said(
    engine: EmbeddedEngine, imported: str
) -> None:
    module = f'package bascule.authz\n{imported}\nallow if "ops" in input.groups\n'
    assert (await examine(engine, {"authz.rego": module}, {})).reads == {("groups",)}


async def test_names_given_to_imports_are_understood(engine: EmbeddedEngine) -> None:
    modules = {
        "a.rego": "package bascule.authz\nimport input.tool as t\nimport data.lib as l\n"
        'allow if l.mild(t)\nallow if { time.now_ns() > 5; input.ip == "" }',
        "lib/b.rego": 'package lib\nmild(tool) if tool.risk == "read"\nother if input.agent',
    }
    document = await examine(engine, modules, {})
    assert document.reads == {("tool", "risk"), ("time_ns",), ("ip",)}
    assert not document.uses_time


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("package bascule.authz\n\nallow if {\n  x == \n}", r"authz\.rego:5: "),
        ("package bascule.authz\nallow { true }", r"authz\.rego:2: .*`if`"),
        ("package bascule.authz\nallow if foo(1)", r"authz\.rego:2: .*foo"),
        ("package bascule.authz\nallow if x", r"authz\.rego:2: .*x"),
        ("package other\nallow := true", "no module is of the package bascule.authz"),
        ("package bascule.authz\nallowed := true", "says what allow is"),
        ("package bascule.authz\nallow(x) := true", "says what allow is"),
        ("package bascule.authz.allow\nx := true", "no module is of the package"),
        ("", r"authz\.rego"),
    ],
)
async def test_what_cannot_decide_is_refused_with_file_and_line(
    engine: EmbeddedEngine, module: str, said: str
) -> None:
    with pytest.raises(InvalidValue, match=said) as refused:
        await examine(engine, {"authz.rego": module}, {})
    assert refused.value.details["faults"]


async def test_a_test_does_not_make_up_for_what_is_missing(engine: EmbeddedEngine) -> None:
    modules = {"a.rego": "package x\n", "b_test.rego": ALLOW}
    with pytest.raises(InvalidValue, match="no module is of the package"):
        await examine(engine, modules, {})


async def test_data_does_not_stand_where_a_rule_is(engine: EmbeddedEngine) -> None:
    for data in ({"bascule": {"authz": {"allow": True}}}, {"bascule": 1}):
        with pytest.raises(InvalidValue, match=r"bascule\.authz\.allow"):
            await examine(engine, {"authz.rego": ALLOW}, data)
    await examine(engine, {"authz.rego": ALLOW}, {"bascule": {"limits": 1}})


class Odd:
    """An inspector that says what it was told to."""

    def __init__(self, ast: bytes) -> None:
        self._ast = ast

    async def inspect(self, *_: object, **__: object) -> Inspection:
        return Inspection(ast=self._ast)

    async def query(self, *_: object, **__: object) -> tuple[object, ...]:
        raise NotImplementedError


async def test_of_a_syntax_that_is_not_understood_everything_counts() -> None:
    for ast in (b"[{}]", b"nothing", b'[{"ast": 1}]'):
        document = await examine(Odd(ast), {"authz.rego": ALLOW}, {})
        assert document.reads is None
        assert document.uses_time


def changed(modules: dict[str, str], old: str, new: str) -> Odd:
    """An inspector that says of the modules what the engine does, but for one thing."""
    ast = inspect(modules, "{}").ast.decode()
    assert ast.count(old) == 1
    return Odd(ast.replace(old, new).encode())


HAS_TESTS = {"authz.rego": ALLOW, "t_test.rego": "package t\nhelp := 1\n\ntest_a if help == 1\n"}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"test_a"', '{"new": 1}', "t_test.rego:4: the tests"),
        ('"value":"t"', '"value":5', "t_test.rego: the tests"),
    ],
    ids=["a rule", "the package"],
)
async def test_tests_that_cannot_be_found_let_nothing_pass(old: str, new: str, place: str) -> None:
    odd = changed(HAS_TESTS, old, new)
    with pytest.raises(InvalidValue, match=place) as refused:
        await examine(odd, HAS_TESTS, {})
    assert "Write it in another way" in refused.value.public
    (outcome,) = await run_tests(odd, document_of(HAS_TESTS, {}))
    assert (outcome.name, outcome.file) == ("(all)", "t_test.rego")
    assert outcome.status is documents.TestStatus.BROKEN
    assert place in outcome.why


@pytest.mark.parametrize("ast", [b"[{}]", b"nothing", b"5"], ids=repr)
async def test_of_a_tree_that_is_none_at_all_no_test_passes(ast: bytes) -> None:
    with pytest.raises(InvalidValue, match=r"t_test\.rego: the tests in this file cannot be found"):
        await examine(Odd(ast), HAS_TESTS, {})


async def test_an_odd_rule_that_decides_keeps_no_test_from_being_run() -> None:
    modules = {**HAS_TESTS, "authz.rego": f"{ALLOW}\nodd := 1\n"}
    odd = changed(modules, '"odd"', '{"new": 1}')
    document = await examine(odd, modules, {})
    assert document.reads is None


@pytest.mark.parametrize(
    "text",
    ["package t\n", "package t\ntst_a if true\n", "package t\ntest_a(x) if x\n"],
    ids=["nothing", "misnamed", "function"],
)
async def test_a_file_of_tests_without_a_test_is_refused(engine: EmbeddedEngine, text: str) -> None:
    modules = {"authz.rego": ALLOW, "authz_test.rego": TESTS, "more/t_test.rego": text}
    said = r"more/t_test\.rego: no test is in this file, .* Name its rules test_"
    with pytest.raises(InvalidValue, match=said) as refused:
        await examine(engine, modules, {})
    assert len(cast("list[str]", refused.value.details["faults"])) == 1
    first, *_ = await run_tests(engine, document_of(modules, {}))
    assert (first.name, first.file) == ("(all)", "more/t_test.rego")
    assert first.status is documents.TestStatus.BROKEN


async def test_what_takes_too_much_to_look_at_is_refused_with_the_limit() -> None:
    class Slow(Odd):
        async def inspect(self, *_: object, **__: object) -> Inspection:
            raise RegoUnfit("no", private="it takes longer than the 30 seconds there are for it")

    for ask in (
        examine(Slow(b""), {"authz.rego": ALLOW}, {}),
        run_tests(Slow(b""), document_of({"authz.rego": ALLOW}, {})),
    ):
        with pytest.raises(InvalidValue, match=r"cannot be looked at .* 30 seconds"):
            await ask


TESTS = """package bascule.authz_test

import data.bascule.authz

test_ann if authz.allow with input as {"user": "ann"}

test_bob if authz.allow with input as {"user": "bob"}

test_false := false

test_number := 1

test_broken if 1 / input.nought == 1

todo_test_later if false

helper if true
"""


async def test_rules_named_as_tests_are_run(engine: EmbeddedEngine) -> None:
    modules = {"authz.rego": ALLOW, "authz_test.rego": TESTS, "more.rego": "package more\n"}
    document = await examine(engine, modules, {})
    outcomes = await run_tests(engine, document)
    assert {one.file for one in outcomes} == {"authz_test.rego"}
    assert [(one.name, one.status.value) for one in outcomes] == [
        ("test_ann", "passed"),
        ("test_bob", "failed"),
        ("test_false", "failed"),
        ("test_number", "failed"),
        ("test_broken", "failed"),
        ("todo_test_later", "skipped"),
    ]
    assert outcomes[1].why == "it is undefined, not true"
    assert outcomes[2].why == "it is false, not true"
    assert outcomes[3].why == "it is 1, not true"


async def test_a_test_that_comes_to_no_value_is_broken(engine: EmbeddedEngine) -> None:
    tests = 'package t\ntest_conflict := x if { some x in ["a", "b"] }\ntest_fine := true\n'
    document = await examine(engine, {"authz.rego": ALLOW, "t_test.rego": tests}, {})
    broken, fine = await run_tests(engine, document)
    assert broken.status is documents.TestStatus.BROKEN
    assert broken.why
    assert fine.status is documents.TestStatus.PASSED


async def test_tests_that_are_not_over_in_time_are_broken(engine: EmbeddedEngine) -> None:
    slow = "{ some a in r; some b in r; a + b > 399 }"
    tests = "package t\nr := numbers.range(1, 200)\n" + "".join(
        f"test_{place} if {slow}\n" for place in range(100)
    )
    document = await examine(engine, {"authz.rego": ALLOW, "t_test.rego": tests}, {})
    began = time.monotonic()
    outcomes = await run_tests(engine, document)
    took = time.monotonic() - began
    assert {one.status for one in outcomes} == {documents.TestStatus.PASSED}
    for seconds in (took * 0.6, 0.0, -1.0):
        outcomes = await run_tests(engine, document, deadline=time.monotonic() + seconds)
        assert outcomes[-1].status is documents.TestStatus.BROKEN
        assert "too long" in outcomes[-1].why


async def test_tests_may_be_of_the_package_itself_and_oddly_named(engine: EmbeddedEngine) -> None:
    tests = 'package bascule["authz"]["odd name"]\ntest_it if data.bascule.authz.allow == false\n'
    document = await examine(engine, {"authz.rego": ALLOW, "t_test.rego": tests}, {})
    (outcome,) = await run_tests(engine, document)
    assert outcome == documents.TestOutcome("test_it", "t_test.rego", documents.TestStatus.PASSED)


async def test_rules_that_decide_are_no_tests(engine: EmbeddedEngine) -> None:
    modules = {"authz.rego": ALLOW + "\ntest_x := true\n"}
    assert await run_tests(engine, document_of(modules, {})) == []


async def test_tests_of_what_does_not_compile_are_not_run(engine: EmbeddedEngine) -> None:
    with pytest.raises(InvalidValue, match=r"authz\.rego:1: "):
        await run_tests(engine, document_of({"authz.rego": "pack"}, {}))


async def test_too_many_tests_are_refused(engine: EmbeddedEngine) -> None:
    tests = "package t\n" + "".join(f"test_{place} := true\n" for place in range(501))
    with pytest.raises(InvalidValue, match="more than 500 tests"):
        await examine(engine, {"authz.rego": ALLOW, "t_test.rego": tests}, {})
