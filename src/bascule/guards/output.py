"""Answers of upstreams are checked against the tool's output schema before they reach a client.

Clients do the same, and throw away what does not fit without saying where it failed (specification
2026-07-28, server/tools "Output Schema"). What a relayed MCP server answers is not checked here: it
is passed on as it came, and the client holds the server to what the server itself declared.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, cast

import jsonschema_rs
import msgspec
import structlog

from bascule.gateway.call import Call, JsonObject, Result, ResultKind
from bascule.gateway.stage import FailureMode
from bascule.gateway.tool import McpSource, RestSource, Tool
from bascule.gateway.verdict import PASS, Rewrite, Verdict
from bascule.guards.schemas import InputSchemas, SchemaRefused
from bascule.protocol.tools import text_content

_CONTENT: Final = "structuredContent"
_MOST_MENDED: Final = 32
_LONGEST_REASON: Final = 300
_EMPTY: Final = "the service reported success, and sent no content"
_TOO_DEEP: Final = "it is nested too deeply"
_decode = msgspec.json.Decoder().decode

_log = structlog.get_logger(__name__)


class OnMismatch(StrEnum):
    """What becomes of an answer that does not fit.

    `refuse` makes it an error that says where, with the text of the answer below. `drop` leaves the
    text and takes the structured content away. `pass` changes nothing.
    """

    REFUSE = "refuse"
    DROP = "drop"
    PASS = "pass"  # noqa: S105 - no password


MENDED: Final = "mended"
"""Counted beside what is done with a mismatch: nulls that nobody described were left out, or an
answer without content was put as the schema has it."""


@dataclass(slots=True)
class Mismatches:
    """What is done with answers that do not fit, and how often what was; shared by all stages."""

    mode: OnMismatch = OnMismatch.REFUSE
    counts: Counter[str] = field(default_factory=Counter[str])


class ValidateOutput:
    """The stage that checks structured content on its way out."""

    name = "validate_output"
    on_failure = FailureMode.CLOSED

    def __init__(self, schemas: InputSchemas, mismatches: Mismatches) -> None:
        self._schemas = schemas
        self._mismatches = mismatches
        # Made on a tool's first answer: most schemas are never needed, and compiling is not free.
        self._validators: dict[int, tuple[Tool, jsonschema_rs.Validator | None]] = {}

    async def inbound(self, call: Call) -> Verdict:
        """Let everything pass: there is no answer yet."""
        del call
        return PASS

    async def outbound(self, call: Call, result: Result) -> Verdict:
        """Check the structured content of a success.

        A null where the schema has none is what services say for "nothing": it is left out of the
        structured content (the text keeps it), and the answer fits if the rest does. An answer
        without content is an empty object, or null under `result`, where the schema allows that.
        """
        tool = call.tool
        if tool is None or tool.output_schema is None or not _is_checked(tool, result):
            return PASS
        validator = self._validator(tool)
        if validator is None:
            return PASS
        given = result.body.get(_CONTENT)
        try:
            value: Any = _decode(given) if isinstance(given, msgspec.Raw) else given
        except RecursionError:
            return self._mismatch(tool, result, "", _TOO_DEEP)
        if value is not None and validator.is_valid(value):
            return PASS
        if value is None and result.is_empty:
            value = _nothing(tool)
            wrong = None if validator.is_valid(value) else ("", _EMPTY)
        else:
            wrong = _mend(validator, value)
        if wrong is not None:
            return self._mismatch(tool, result, *wrong)
        self._mismatches.counts[MENDED] += 1
        return Rewrite({**result.body, _CONTENT: value})

    def _validator(self, tool: Tool) -> jsonschema_rs.Validator | None:
        found = self._validators.get(id(tool))
        if found is None:
            found = self._validators[id(tool)] = tool, self._compile(tool)
        return found[1]

    def _compile(self, tool: Tool) -> jsonschema_rs.Validator | None:
        try:
            return self._schemas.compile(tool.output_schema or {})
        except SchemaRefused as reason:
            # Nothing can be held against it, here or at the client.
            _log.warning("output_schema.unusable", tool=tool.name, reason=str(reason))
            return None

    def _mismatch(self, tool: Tool, result: Result, path: str, reason: str) -> Verdict:
        mode = self._mismatches.mode
        self._mismatches.counts[mode] += 1
        _log.warning("output.mismatch", tool=tool.name, place=path or "/", action=mode.value)
        if mode is OnMismatch.PASS:
            return PASS
        body = {name: value for name, value in result.body.items() if name != _CONTENT}
        if mode is OnMismatch.DROP:
            return Rewrite(body)
        said = cast("list[object]", body.get("content") or [])
        notice = text_content(_sentence(tool, path, reason))
        refusal: JsonObject = {**body, "content": [notice, *said], "isError": True}
        private = f"the answer does not fit the output schema at {path or '/'}"
        return Rewrite(refusal, failure=private)


def _is_checked(tool: Tool, result: Result) -> bool:
    complete = result.kind is ResultKind.COMPLETE and not result.is_error
    return complete and not isinstance(tool.source, McpSource)


def _nothing(tool: Tool) -> JsonObject:
    """What an answer without content is, if the schema allows it.

    A success must have structured content (clients fail on one without it), and none is made up:
    what the schema requires the service alone can say.
    """
    wraps = isinstance(tool.source, RestSource) and tool.source.wraps_result
    return {"result": None} if wraps else {}


def _sentence(tool: Tool, path: str, reason: str) -> str:
    where = f"at {path}: {reason}" if path else reason
    return (
        f"E3003: {tool.name} was executed, but the answer of its service does not match the "
        f"description of the tool ({where}). Do not repeat the call for that. The answer follows "
        "as it came; read it with care. An operator can correct the tool's output schema by "
        "importing a corrected document, or set guards.output_mismatch to drop or pass."
    )


def _mend(validator: jsonschema_rs.Validator, value: Any) -> tuple[str, str] | None:
    """Leave undescribed nulls out of `value`, in place; where and why it still does not fit."""
    if value is None:
        return "", "there is no JSON in it"
    for _ in range(_MOST_MENDED):
        try:
            validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            path: list[str | int] = list(error.instance_path)
            if error.instance is not None or not path or not isinstance(path[-1], str):
                return _path(path), _reason(error)
            _drop_nulls(value, path)
        except ValueError:  # the validator's own recursion limit, reached while it quotes a value
            return "", _TOO_DEEP
        else:
            return None
    return "", "there are nulls in too many places"


def _drop_nulls(value: Any, path: list[str | int]) -> None:
    """Remove the null at `path`, and those at the same place of other items of its lists."""
    *above, last = path
    places: list[Any] = [value]
    for step in above:
        places = [inner for place in places for inner in _inside(place, step)]
    for place in places:
        if isinstance(place, dict) and cast("JsonObject", place).get(str(last), 0) is None:
            del place[last]


def _inside(place: Any, step: str | int) -> list[Any]:
    if isinstance(step, int):
        return cast("list[Any]", place) if isinstance(place, list) else []
    return [place[step]] if isinstance(place, dict) and step in place else []


def _path(path: list[str | int]) -> str:
    return "".join(f"/{part}" for part in path)[:_LONGEST_REASON]


def _reason(error: jsonschema_rs.ValidationError) -> str:
    """What is wrong; by its keyword alone where the words would quote the whole value."""
    if len(error.message) <= _LONGEST_REASON:
        return error.message
    steps = [str(step) for step in error.schema_path]
    return f"it violates {steps[-1]}" if steps else "it does not fit"
