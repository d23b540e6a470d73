import asyncio

import msgspec
import pytest
from structlog.testing import capture_logs

from bascule.gateway.call import Result, ResultKind
from bascule.gateway.tool import McpSource, RestSource
from bascule.gateway.verdict import PASS, Rewrite
from bascule.guards.output import MENDED, Mismatches, OnMismatch, ValidateOutput
from bascule.guards.schemas import InputSchemas
from fakes.traffic import call_of, make_rest

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "note": {"type": "string"},
        "gone": {"type": ["string", "null"]},
        "status": {"enum": ["open", "done"]},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"size": {"type": "string"}, "tags": {"$ref": "#/$defs/tags"}},
            },
        },
    },
    "required": ["id"],
    "$defs": {"tags": {"type": "object", "additionalProperties": {"type": "string"}}},
}
TOOL = make_rest(output_schema=SCHEMA)


def result_of(value: object, **changes: object) -> Result:
    raw = msgspec.Raw(msgspec.json.encode(value))
    body = {"content": [{"type": "text", "text": "as it came"}], "structuredContent": raw}
    return Result(body, **changes)  # type: ignore[arg-type]


class Bench:
    def __init__(self, mode: OnMismatch = OnMismatch.REFUSE) -> None:
        self.mismatches = Mismatches(mode)
        self.stage = ValidateOutput(InputSchemas(), self.mismatches)

    async def judge(self, result: Result, tool=TOOL):
        with capture_logs():
            return await self.stage.outbound(call_of(tool), result)

    @property
    def counts(self) -> dict[str, int]:
        return dict(self.mismatches.counts)


async def test_an_answer_that_fits_passes_untouched() -> None:
    bench = Bench()
    fit = result_of({"id": 1, "gone": None, "items": [{"size": "s"}], "more": True})
    assert await bench.stage.inbound(call_of(TOOL)) is PASS
    assert await bench.judge(fit) is PASS
    assert await bench.judge(Result({"structuredContent": {"id": 1}})) is PASS
    assert bench.counts == {}


async def test_one_that_does_not_is_an_error_that_names_the_place_and_keeps_the_text() -> None:
    bench = Bench()
    verdict = await bench.judge(result_of({"id": 1, "status": "closed"}))
    assert isinstance(verdict, Rewrite)
    assert verdict.value["isError"] is True
    assert "structuredContent" not in verdict.value
    notice, answer = verdict.value["content"]  # type: ignore[misc]
    assert notice["text"].startswith("E3003: find was executed")
    assert "/status" in notice["text"]
    assert "Do not repeat" in notice["text"]
    assert "guards.output_mismatch" in notice["text"]
    assert answer == {"type": "text", "text": "as it came"}
    assert verdict.failure == "the answer does not fit the output schema at /status"
    assert bench.counts == {"refuse": 1}


async def test_the_structured_content_may_be_dropped_alone() -> None:
    bench = Bench(OnMismatch.DROP)
    verdict = await bench.judge(result_of({"id": "1"}))
    assert verdict == Rewrite({"content": [{"type": "text", "text": "as it came"}]})
    assert bench.counts == {"drop": 1}


async def test_or_everything_may_pass_and_be_counted() -> None:
    bench = Bench(OnMismatch.PASS)
    assert await bench.judge(result_of({"id": "1"})) is PASS
    assert bench.counts == {"pass": 1}


@pytest.mark.parametrize(
    ("value", "mended"),
    [
        ({"id": 1, "note": None}, {"id": 1}),
        ({"id": 1, "status": None, "gone": None}, {"id": 1, "gone": None}),
        (
            {"id": 1, "items": [{"size": None, "x": None}, {"size": "s"}, {"size": None}]},
            {"id": 1, "items": [{"x": None}, {"size": "s"}, {}]},
        ),
        (
            {"id": 1, "items": [{"tags": {"a": None, "b": "c"}}]},
            {"id": 1, "items": [{"tags": {"b": "c"}}]},
        ),
        ({"id": 1, "items": [{"tags": None}, {}]}, {"id": 1, "items": [{}, {}]}),
    ],
)
async def test_nulls_that_nobody_described_are_left_out(value: object, mended: object) -> None:
    bench = Bench()
    verdict = await bench.judge(result_of(value))
    assert isinstance(verdict, Rewrite)
    assert verdict.value["structuredContent"] == mended
    assert (verdict.failure, bench.counts) == (None, {MENDED: 1})


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"id": None}, "violates required"),
        ({"note": None}, '"id" is a required property'),
        ({"id": 1, "items": [None]}, "at /items/0"),
        ({"id": 1, "note": None, "status": 7}, "at /status"),
        ({"id": 1, "items": [{"size": None}, {"size": 3}]}, "at /items/1/size"),
        (None, "there is no JSON in it"),
        ([], "not of type"),
    ],
)
async def test_but_what_is_wrong_besides_is_wrong(value: object, place: str) -> None:
    verdict = await Bench().judge(result_of(value))
    assert isinstance(verdict, Rewrite)
    text = verdict.value["content"][0]["text"]  # type: ignore[index]
    assert place.replace("violates required", "is a required property") in text


async def test_a_promise_of_structure_that_is_not_kept_is_a_mismatch() -> None:
    verdict = await Bench().judge(Result({"content": []}))
    assert isinstance(verdict, Rewrite)
    assert "there is no JSON in it" in verdict.value["content"][0]["text"]  # type: ignore[index]


async def test_no_content_is_nothing_in_the_terms_of_the_schema() -> None:
    bench = Bench()
    done = {"content": [{"type": "text", "text": "Done (HTTP 200, no content)."}]}
    loose = make_rest(output_schema={"type": "object", "properties": {"id": {"type": "integer"}}})
    verdict = await bench.judge(Result(done, is_empty=True), loose)
    assert verdict == Rewrite({**done, "structuredContent": {}})

    source = RestSource("shop", "GET", "/", wraps_result=True)
    schema = {
        "type": "object",
        "properties": {"result": {"type": ["string", "null"]}},
        "required": ["result"],
    }
    wrapped = make_rest(source=source, output_schema=schema)
    verdict = await bench.judge(Result(done, is_empty=True), wrapped)
    assert verdict == Rewrite({**done, "structuredContent": {"result": None}})
    assert bench.counts == {MENDED: 2}


async def test_where_the_schema_requires_something_nothing_is_made_up_and_the_success_is_told() -> (
    None
):
    bench = Bench()
    verdict = await bench.judge(Result({"content": [{"text": "Done"}]}, is_empty=True))
    assert isinstance(verdict, Rewrite)
    notice, done = verdict.value["content"]  # type: ignore[misc]
    assert "the service reported success, and sent no content" in notice["text"]
    assert "was executed" in notice["text"]
    assert "Do not repeat" in notice["text"]
    assert done == {"text": "Done"}
    assert (verdict.value["isError"], bench.counts) == (True, {"refuse": 1})


async def test_another_answer_without_structure_is_not_taken_for_nothing() -> None:
    loose = make_rest(output_schema={"type": "object"})
    verdict = await Bench().judge(Result({"content": [{"text": "<html>"}]}), loose)
    assert isinstance(verdict, Rewrite)
    assert verdict.value["isError"] is True


async def test_long_values_are_not_repeated_in_the_reason() -> None:
    verdict = await Bench().judge(result_of({"id": "x" * 10_000}))
    text = verdict.value["content"][0]["text"]
    assert "it violates type" in text
    assert len(text) < 800


async def test_nulls_in_very_many_places_are_too_many() -> None:
    names = [f"p{one}" for one in range(100)]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    verdict = await Bench().judge(result_of(dict.fromkeys(names)), make_rest(output_schema=schema))
    assert "nulls in too many places" in verdict.value["content"][0]["text"]


@pytest.mark.parametrize("depth", [300, 900, 5_000, 100_000])
async def test_depth_does_not_crash_it(depth: int) -> None:
    raw = msgspec.Raw(b'{"id":' + b"[" * depth + b"]" * depth + b"}")
    verdict = await Bench().judge(Result({"content": [], "structuredContent": raw}))
    assert isinstance(verdict, Rewrite)
    assert verdict.value["isError"] is True


@pytest.mark.parametrize(
    "result",
    [
        result_of({}, is_error=True),
        result_of({}, kind=ResultKind.INPUT_REQUIRED),
    ],
)
async def test_only_whole_successes_are_checked(result: Result) -> None:
    assert await Bench().judge(result) is PASS


async def test_what_is_relayed_and_what_promises_nothing_is_not_checked() -> None:
    relayed = make_rest(source=McpSource("shop", "find"), output_schema=SCHEMA)
    assert await Bench().judge(result_of({}), relayed) is PASS
    assert await Bench().judge(result_of({}), make_rest()) is PASS
    assert await Bench().judge(result_of({}), None) is PASS


async def test_a_schema_that_is_none_is_held_against_nobody_and_told_once() -> None:
    bench = Bench()
    tool = make_rest(output_schema={"type": "object", "$ref": "http://127.0.0.1:9/schema"})
    with capture_logs() as logs:
        for _ in range(3):
            assert await bench.stage.outbound(call_of(tool), result_of({})) is PASS
    assert [one["event"] for one in logs] == ["output_schema.unusable"]


async def test_a_mismatch_is_logged_without_what_was_in_it() -> None:
    bench = Bench()
    with capture_logs() as logs:
        await bench.stage.outbound(call_of(TOOL), result_of({"id": "secret"}))
    assert "secret" not in str(logs)
    assert logs[0]["place"] == "/id"


async def test_a_megabyte_of_wrong_items_keeps_nobody_waiting() -> None:
    many = {"id": 1, "items": [{"size": 7} for _ in range(100_000)]}
    async with asyncio.timeout(5):
        verdict = await Bench().judge(result_of(many))
    assert isinstance(verdict, Rewrite)
