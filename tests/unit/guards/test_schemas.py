import time
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.call import Call, JsonObject, Method
from bascule.gateway.documents import JsonDocument
from bascule.gateway.errors import ErrorCode
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import FailureMode
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import PASS, Refuse, Verdict
from bascule.guards import schemas as room
from bascule.guards.schemas import InputSchemas, SchemaRefused, ValidateInput
from bascule.protocol.mirroring import Mirror
from fakes.catalogue import make_principal, make_snapshot, make_tool
from fakes.relayed import make_inventory, make_prompt, make_relayed, make_view, snapshot_of

SLOTS = {
    "type": "object",
    "properties": {
        "dealer": {"type": "string"},
        "days": {"type": "array", "items": {"type": "integer", "minimum": 1}},
        "customer": {
            "type": "object",
            "properties": {"mobile": {"type": "string"}},
            "additionalProperties": False,
        },
    },
    "required": ["dealer"],
    "additionalProperties": False,
}


def call_of(tool: Tool | None, arguments: JsonObject) -> Call:
    call = Call(Method.TOOLS_CALL, "c-1", arguments=arguments)
    call.raw_arguments = msgspec.json.encode(arguments)
    call.tool = tool
    return call


async def judge(schema: dict[str, object], arguments: JsonObject) -> Verdict:
    tool = make_tool(input_schema=schema)
    stage = ValidateInput(make_snapshot([tool]), InputSchemas())
    return await stage.inbound(call_of(tool, arguments))


def refusal(verdict: Verdict) -> Refuse:
    assert isinstance(verdict, Refuse)
    return verdict


def violations(verdict: Verdict) -> list[dict[str, str]]:
    details: Any = refusal(verdict).details
    return details["violations"]


async def test_arguments_that_fit_pass() -> None:
    assert await judge(SLOTS, {"dealer": "Hinjewadi", "days": [1, 2]}) is PASS


async def test_a_call_without_a_tool_has_no_arguments_to_check() -> None:
    stage = ValidateInput(Snapshot(), InputSchemas())
    assert await stage.inbound(call_of(None, {"anything": 1})) is PASS


def test_a_stage_that_breaks_refuses() -> None:
    assert ValidateInput.on_failure is FailureMode.CLOSED


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({}, ""),
        ({"dealer": 5}, "/dealer"),
        ({"dealer": "x", "days": [1, "two"]}, "/days/1"),
        ({"dealer": "x", "days": [0]}, "/days/0"),
        ({"dealer": "x", "customer": {"mobile": 1}}, "/customer/mobile"),
        ({"dealer": "x", "other": 1}, ""),
    ],
)
async def test_a_violation_names_its_place(arguments: JsonObject, path: str) -> None:
    verdict = refusal(await judge(SLOTS, arguments))
    assert verdict.error is ErrorCode.SCHEMA_VIOLATION
    [violation] = violations(verdict)
    assert violation["path"] == path
    assert violation["reason"] in verdict.public
    assert (path or "arguments") in verdict.public


async def test_several_violations_are_told_at_once_but_not_all() -> None:
    verdict = await judge(SLOTS, {"dealer": 1, "days": ["a"] * 100})
    assert len(violations(verdict)) == 5


async def test_the_record_gets_the_places_and_never_the_values() -> None:
    verdict = refusal(await judge(SLOTS, {"dealer": 9876543210, "days": ["secret"]}))
    assert verdict.private == "schema violated at /dealer, /days/0"
    verdict = refusal(await judge(SLOTS, {"secret": 1, "dealer": "x"}))
    assert verdict.private == "schema violated at /"


async def test_a_misspelt_argument_is_told_what_was_meant() -> None:
    [violation] = violations(await judge(SLOTS, {"dealer": "x", "custmer": {}}))
    assert violation["reason"].endswith("did you mean 'customer'?")


async def test_an_argument_like_no_other_is_told_the_known_ones() -> None:
    [violation] = violations(await judge(SLOTS, {"dealer": "x", "zzz": {}}))
    assert violation["reason"].endswith("known are dealer, days, customer")


async def test_a_misspelt_member_inside_an_argument_is_not_compared_with_the_outside() -> None:
    arguments: JsonObject = {"dealer": "x", "customer": {"dealers": 1}}
    [violation] = violations(await judge(SLOTS, arguments))
    assert violation["path"] == "/customer"
    assert "did you mean" not in violation["reason"]


@pytest.mark.parametrize("properties", [None, {}])
async def test_a_tool_that_takes_no_arguments_suggests_none(properties: object) -> None:
    schema: dict[str, object] = {"type": "object", "additionalProperties": False}
    if properties is not None:
        schema["properties"] = properties
    [violation] = violations(await judge(schema, {"zzz": 1}))
    assert "known are" not in violation["reason"]


@given(st.text(max_size=30))
async def test_a_suggestion_is_always_a_property_of_the_tool(name: str) -> None:
    verdict = await judge(SLOTS, {"dealer": "x", name: {}})
    if isinstance(verdict, Refuse) and "did you mean" in verdict.public:
        guess = verdict.public.rpartition("did you mean ")[2]
        assert guess in {"'dealer'?", "'days'?", "'customer'?"}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "https://example.com/schema.json"},
        {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
        {"properties": {"a": {"allOf": [{"not": {"$ref": "ftp://example.com/x"}}]}}},
        {"$defs": {"a": {"$ref": "http://127.0.0.1:9/x"}}, "$ref": "#/$defs/a"},
        {"$id": "http://127.0.0.1:9/", "$ref": "other.json"},
        {"$dynamicRef": "http://127.0.0.1:9/x"},
        {"$ref": "other.json"},
        {"$ref": "#/$defs/missing"},
    ],
    ids=str,
)
def test_a_reference_to_the_outside_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(SchemaRefused):
        InputSchemas().compile(schema)


def test_no_reference_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The only way out the validator has is the retriever, and that one raises."""
    asked: list[str] = []

    def spy(uri: str) -> None:
        asked.append(uri)
        refuse(uri)

    refuse = room._refuse_reference
    monkeypatch.setattr(room, "_refuse_reference", spy)
    with pytest.raises(SchemaRefused, match="references outside the schema are not followed"):
        InputSchemas().compile({"properties": {"a": {"$ref": "http://127.0.0.1:9/x"}}})
    assert asked == ["http://127.0.0.1:9/x"]
    with pytest.raises(ValueError, match="not followed"):
        refuse("file:///etc/passwd")


def test_a_reference_inside_the_schema_is_followed() -> None:
    schema = {"$defs": {"day": {"type": "integer"}}, "properties": {"d": {"$ref": "#/$defs/day"}}}
    validator = InputSchemas().compile(schema)
    assert validator.is_valid({"d": 1})
    assert not validator.is_valid({"d": "x"})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": 5},
        {"required": "dealer"},
        {"properties": {"a": {"pattern": "("}}},
        {"properties": {"a": {"pattern": "(?=look)ahead"}}},
        {"properties": {"a": {"pattern": "(a{1000}){1000}"}}},
    ],
    ids=str,
)
def test_what_is_no_usable_schema_is_refused_in_one_line(schema: dict[str, object]) -> None:
    with pytest.raises(SchemaRefused) as caught:
        InputSchemas().compile(schema)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dialect", ["http://127.0.0.1:9/mine", "file:///etc/passwd", "", 5])
def test_an_unknown_dialect_is_refused_by_name(dialect: object) -> None:
    """Source: basic/index "JSON Schema Usage": an unsupported dialect is an error that says so."""
    with pytest.raises(SchemaRefused, match=r"dialect .* is not supported"):
        InputSchemas().compile({"$schema": dialect})


def test_the_default_dialect_is_2020_12() -> None:
    validator = InputSchemas().compile({"prefixItems": [{"type": "integer"}]})
    assert not validator.is_valid(["x"])


def test_an_older_dialect_is_read_by_its_own_rules() -> None:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "integer"}]}
    validator = InputSchemas().compile(schema)
    assert not validator.is_valid(["x"])
    assert validator.is_valid([1, "anything"])


def test_a_schema_nested_beyond_reason_is_refused() -> None:
    with pytest.raises(SchemaRefused):
        InputSchemas().compile(msgspec.json.decode(b'{"not":' * 900 + b"{}" + b"}" * 900))


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){20}", "^([a-z]+)*x$"]
)
async def test_a_pattern_made_to_explode_is_checked_in_linear_time(pattern: str) -> None:
    schema: dict[str, object] = {"properties": {"a": {"type": "string", "pattern": pattern}}}
    started = time.perf_counter()
    verdict = await judge(schema, {"a": "a" * 20_000 + "!"})
    assert time.perf_counter() - started < 2, "a backtracking engine needs years"
    assert isinstance(verdict, Refuse) is (pattern != "(.*a){20}")


async def test_a_megabyte_of_wrong_items_is_refused_quickly() -> None:
    """Seeking every violation of this one took the validator eight seconds."""
    started = time.perf_counter()
    verdict = await judge(SLOTS, {"dealer": "x", "days": ["a"] * 200_000})
    assert time.perf_counter() - started < 2
    assert [one["path"] for one in violations(verdict)] == ["/days/0"]


async def test_a_violation_in_something_huge_is_told_in_a_few_words() -> None:
    name = "n" * 500_000
    verdict = refusal(await judge({"additionalProperties": {"type": "string"}}, {name: 1}))
    assert len(verdict.public) < 1000
    assert len(verdict.private) < 1000
    verdict = refusal(await judge(SLOTS, {"dealer": "x", name: "v" * 500_000}))
    assert len(verdict.public) < 1000


async def test_arguments_nested_too_deeply_to_quote_are_refused_not_a_crash() -> None:
    for start in (b'{"a":', b'{"a longer name":'):  # below and above what is fully explained
        nested = msgspec.json.decode(start * 600 + b"1" + b"}" * 600)
        verdict = refusal(await judge({"additionalProperties": False}, nested))
        assert verdict.error is ErrorCode.SCHEMA_VIOLATION
        assert violations(verdict) == [
            {"path": "", "reason": "nested too deeply to say what is wrong"}
        ]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"$ref": "#"}},
        {"$dynamicAnchor": "x", "anyOf": [{"$dynamicRef": "#x"}]},
        {"properties": {"a": {"$ref": "#"}}},
    ],
    ids=str,
)
async def test_a_schema_that_refers_to_itself_ends(schema: dict[str, object]) -> None:
    nested = msgspec.json.decode(b'{"a":' * 600 + b"1" + b"}" * 600)
    assert isinstance(await judge(schema, nested), type(PASS) | Refuse)


async def test_a_broken_schema_disables_its_tool_and_no_other() -> None:
    broken = make_tool("broken", input_schema={"$ref": "http://127.0.0.1:9/x"})
    sound = make_tool("sound", input_schema=SLOTS)
    stage = ValidateInput(make_snapshot([broken, sound]), InputSchemas())
    verdict = refusal(await stage.inbound(call_of(broken, {})))
    assert verdict.error is ErrorCode.TOOL_DISABLED
    assert "broken" in verdict.public
    assert "127.0.0.1" not in verdict.public
    assert "127.0.0.1" in verdict.private
    assert await stage.inbound(call_of(sound, {"dealer": "x"})) is PASS


async def test_tools_of_the_same_name_keep_their_own_schemas() -> None:
    strict = make_tool(input_schema=SLOTS)
    loose = make_tool(input_schema={"type": "object"})
    stage = ValidateInput(make_snapshot([strict]), InputSchemas())
    assert isinstance(await stage.inbound(call_of(strict, {})), Refuse)
    assert await stage.inbound(call_of(loose, {})) is PASS


def test_a_schema_is_compiled_once_for_all_snapshots() -> None:
    schemas = InputSchemas()
    assert schemas.compile(SLOTS) is schemas.compile(dict(SLOTS))
    assert schemas.compile(SLOTS) is not schemas.compile({"type": "object"})


def test_validators_are_kept_up_to_a_number_of_bytes_and_the_oldest_go_first() -> None:
    schemas = InputSchemas(most_bytes=512 * 8)
    validators = [schemas.compile({"minProperties": number}) for number in range(8)]
    assert schemas.is_full
    assert schemas.losses == 0
    assert schemas.compile({"minProperties": 0}) is validators[0]
    schemas.compile({"minProperties": 8})
    assert schemas.losses == 1
    assert not schemas.is_full
    assert schemas.compile({"minProperties": 7}) is validators[7]
    assert schemas.compile({"minProperties": 0}) is not validators[0]


def test_a_schema_larger_than_all_that_is_kept_works_all_the_same() -> None:
    schemas = InputSchemas(most_bytes=600)
    for number in range(3):
        long = {"title": "x" * 1000, "minProperties": number}
        assert schemas.compile(long).is_valid({}) is (number == 0)


async def test_a_stage_lets_go_of_validators_that_made_room_for_others() -> None:
    schemas = InputSchemas(most_bytes=512 * 4)
    tools = [make_tool(input_schema={"minProperties": number}) for number in range(1, 30)]
    stage = ValidateInput(make_snapshot(tools), schemas)
    for tool in [*tools, *tools]:
        assert isinstance(await stage.inbound(call_of(tool, {})), Refuse)
        assert await stage.inbound(call_of(tool, {str(n): n for n in range(30)})) is PASS
        assert len(stage._called) <= 4


async def test_a_stage_holds_on_to_a_bounded_number_of_tools(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "_MOST_CALLED", 3)
    tools = [make_tool(f"t{number}") for number in range(10)]
    stage = ValidateInput(make_snapshot(tools), InputSchemas())
    for tool in tools:
        assert await stage.inbound(call_of(tool, {})) is PASS
        assert len(stage._called) <= 3


async def test_a_prepared_tool_is_not_compiled_by_its_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schemas = InputSchemas()
    tool = make_tool(input_schema=SLOTS)
    schemas.prepare(tool)
    monkeypatch.setattr(room, "_compile", None)
    stage = ValidateInput(make_snapshot([tool]), schemas)
    assert isinstance(await stage.inbound(call_of(tool, {})), Refuse)


def test_a_document_kept_as_text_has_the_validator_of_the_mapping_it_is() -> None:
    schemas = InputSchemas()
    assert schemas.compile(JsonDocument(msgspec.json.encode(SLOTS))) is schemas.compile(SLOTS)


def test_a_refusal_is_remembered_and_raised_each_time() -> None:
    schemas = InputSchemas()
    odd = {"type": "nothing"}
    assert schemas.find(odd) is schemas.find(dict(odd))
    for _ in range(2):
        with pytest.raises(SchemaRefused):
            schemas.compile(odd)


def test_a_schema_that_doubles_its_work_forty_times_is_refused_before_it_is_compiled() -> None:
    definitions: dict[str, object] = {
        f"A{number}": {"allOf": [{"$ref": f"#/$defs/A{number + 1}"}] * 2} for number in range(40)
    }
    schema = {"$ref": "#/$defs/A0", "$defs": {**definitions, "A40": {"type": "object"}}}
    started = time.perf_counter()
    with pytest.raises(SchemaRefused, match="more than 10,000 subschemas"):
        InputSchemas().compile(schema)
    assert time.perf_counter() - started < 0.05


async def test_a_recursive_tree_is_no_reason_to_refuse() -> None:
    node: dict[str, object] = {
        "type": "object",
        "properties": {"left": {"$ref": "#"}, "children": {"items": {"$ref": "#"}}},
        "additionalProperties": False,
    }
    assert await judge(node, {"left": {"left": {}}, "children": [{"left": {}}]}) is PASS
    assert isinstance(await judge(node, {"children": [{"left": 1}]}), Refuse)


# Nulls, headers and prompts: what MCP servers are sent.


async def judge_relayed(arguments: JsonObject, **members: Any) -> Verdict:
    tool = replace(make_relayed(), input_schema=SLOTS, **members)
    snapshot = make_snapshot([tool])
    call = call_of(tool, arguments)
    call.headers = {}
    return await ValidateInput(snapshot, InputSchemas()).inbound(call)


async def test_a_null_in_place_of_an_optional_argument_goes_to_the_mcp_server() -> None:
    assert await judge_relayed({"dealer": "Hinjewadi", "days": None}) is PASS


async def test_a_rest_service_gets_no_null_it_did_not_ask_for() -> None:
    assert refusal(await judge(SLOTS, {"dealer": "Hinjewadi", "days": None}))


@pytest.mark.parametrize(
    "arguments",
    [{"dealer": None}, {"days": None}, {"dealer": 1, "days": None}, {"dealer": "x", "days": [0]}],
)
async def test_nulls_excuse_nothing_else(arguments: JsonObject) -> None:
    assert refusal(await judge_relayed(arguments)).error is ErrorCode.SCHEMA_VIOLATION


async def test_without_a_list_of_what_is_required_every_null_may_be_left_out() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": "odd"}
    tool = replace(make_relayed(), input_schema={**schema, "required": []})
    stage = ValidateInput(make_snapshot([tool]), InputSchemas())
    assert await stage.inbound(call_of(tool, {"a": None})) is PASS


async def test_arguments_that_headers_repeat_are_held_against_them() -> None:
    mirrors = (Mirror(("dealer",), "Mcp-Param-Dealer"),)
    verdict = await judge_relayed({"dealer": "Hinjewadi"}, mirrors=mirrors)
    assert refusal(verdict).error is ErrorCode.HEADER_MISMATCH
    assert await judge_relayed({"days": []}, mirrors=mirrors) is not PASS


async def test_a_header_that_agrees_leaves_the_schema_to_judge() -> None:
    mirrors = (Mirror(("dealer",), "Mcp-Param-Dealer"),)
    tool = replace(make_relayed(), input_schema=SLOTS, mirrors=mirrors)
    call = call_of(tool, {"dealer": "x"})
    call.headers = {b"mcp-param-dealer": b"x"}
    stage = ValidateInput(make_snapshot([tool]), InputSchemas())
    assert await stage.inbound(call) is PASS


def prompt_call(arguments: JsonObject) -> Call:
    call = Call(Method.PROMPTS_GET, "c-1", arguments=arguments, principal=make_principal())
    definition = b'{"name":"greet","arguments":[{"name":"who","required":true}]}'
    prompt = make_prompt(definition=definition)
    call.snapshot = snapshot_of(make_view(make_inventory(prompts=[prompt])))
    call.target = Target(ItemKind.PROMPT, "alpha", "greet", "alpha", "greet")
    return call


async def test_the_arguments_of_a_prompt_are_those_it_lists() -> None:
    stage = ValidateInput(Snapshot(), InputSchemas())
    assert await stage.inbound(prompt_call({"who": "ann"})) is PASS
    assert refusal(await stage.inbound(prompt_call({}))).details == {"field": "who"}


async def test_a_prompt_that_is_listed_no_more_has_texts_for_arguments_all_the_same() -> None:
    stage = ValidateInput(Snapshot(), InputSchemas())
    call = prompt_call({"any": 1})
    call.snapshot = Snapshot()
    assert refusal(await stage.inbound(call)).error is ErrorCode.INVALID_VALUE
    call.target = None
    assert await stage.inbound(call) is PASS


def test_what_checks_the_answer_of_a_tool_is_made_ready_as_well() -> None:
    schemas = InputSchemas()
    given = {"type": "object", "properties": {"ready": {"type": "integer"}}}
    schemas.prepare(replace(make_tool(), output_schema=given))
    before = len(schemas._kept)
    schemas.compile(given)
    assert len(schemas._kept) == before == 2
