"""Arguments are checked against the tool's input schema before anything is executed."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final, NoReturn

import jsonschema_rs
import msgspec
from rapidfuzz import fuzz, process

from bascule.gateway.call import Call, JsonObject, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import FailureMode
from bascule.gateway.tool import McpSource, Tool
from bascule.gateway.verdict import PASS, Refuse, Verdict
from bascule.guards.mirrors import judge_mirrors
from bascule.guards.prompts import judge_prompt_arguments
from bascule.protocol.schemas import MOST_VISITS, expanded_size

_MOST_REASONS: Final = 5
_LONGEST_REASON: Final = 300
_MOST_SCHEMAS: Final = 20_000
_FULLY_EXPLAINED_BYTES: Final = 4_096
"""Up to here every violation is sought. The validator seeks one or all, and all those of a
megabyte of wrong items take it twenty seconds, in which nobody else is served."""
_DIALECTS: Final = frozenset(
    {
        "https://json-schema.org/draft/2020-12/schema",
        "https://json-schema.org/draft/2019-09/schema",
        "http://json-schema.org/draft-07/schema",
        "http://json-schema.org/draft-06/schema",
        "http://json-schema.org/draft-04/schema",
    }
)


class SchemaRefused(ValueError):
    """A schema that cannot be compiled safely; the message says why."""


class InputSchemas:
    """Compiled validators, shared by all snapshots: a schema is compiled once, never on a call."""

    def __init__(self) -> None:
        self._compiled: dict[bytes, jsonschema_rs.Validator] = {}

    def compile(self, schema: Mapping[str, object]) -> jsonschema_rs.Validator:
        """Compile `schema` (2020-12 unless it says otherwise).

        Network and file references are refused, and patterns run in linear time.

        Raises:
            SchemaRefused: not a schema, one that refers to the outside, or one that makes more
                than `MOST_VISITS` checks of one value.
        """
        key = msgspec.json.encode(schema)
        validator = self._compiled.get(key)
        if validator is None:
            if len(self._compiled) >= _MOST_SCHEMAS:
                self._compiled.clear()
            validator = self._compiled[key] = _compile(schema)
        return validator


def _compile(schema: Mapping[str, object]) -> jsonschema_rs.Validator:
    dialect = schema.get("$schema")
    if dialect is not None and str(dialect).rstrip("#") not in _DIALECTS:
        # Taken for 2020-12 it would be checked by rules its author did not write (basic/index).
        raise SchemaRefused(f"the dialect {dialect!r} is not supported; use 2020-12")
    if expanded_size(schema, MOST_VISITS) > MOST_VISITS:
        raise SchemaRefused(
            f"it checks one value against more than {MOST_VISITS:,} subschemas, which would keep "
            "everybody waiting; let its subschemas repeat each other less"
        )
    try:
        document = dict(schema)
        kind = jsonschema_rs.validator_cls_for(document)
        return kind(
            document, retriever=_refuse_reference, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise SchemaRefused(str(error).splitlines()[0]) from None


def _refuse_reference(uri: str) -> NoReturn:
    raise ValueError(f"references outside the schema are not followed: {uri}")


class ValidateInput:
    """The stage that refuses arguments a tool did not ask for."""

    name = "validate"
    on_failure = FailureMode.CLOSED

    def __init__(self, snapshot: Snapshot, schemas: InputSchemas) -> None:
        self._validators: dict[int, jsonschema_rs.Validator | SchemaRefused] = {}
        for view in snapshot.tenants.values():
            for tool in view.tools.values():
                self._validators[id(tool)] = _validator_or_reason(tool, schemas)

    async def inbound(self, call: Call) -> Verdict:
        """Check `call.arguments`; names each place that is wrong, and why."""
        tool = call.tool
        if tool is None:
            return _judge_prompt(call) if call.method is Method.PROMPTS_GET else PASS
        if tool.mirrors and call.headers is not None:
            refusal = judge_mirrors(tool, call, call.headers)
            if refusal is not None:
                return refusal
        validator = self._validators[id(tool)]
        if isinstance(validator, SchemaRefused):
            return Refuse(
                ErrorCode.TOOL_DISABLED,
                public=f"The input schema of {tool.name} is unusable, so it cannot be called. "
                "Its owner must correct it.",
                private=f"schema refused: {validator}",
            )
        if validator.is_valid(call.arguments) or _fits_without_nulls(tool, validator, call):
            return PASS
        return _refusal(tool, validator, call)


def _judge_prompt(call: Call) -> Verdict:
    target, tenant = call.target, call.principal.tenant if call.principal else ""
    if target is None:
        return PASS
    inventory = call.snapshot.tenant(tenant).inventories.get(target.upstream)
    prompt = None if inventory is None else inventory.prompts.get(target.name)
    return judge_prompt_arguments(call, prompt) or PASS


def _fits_without_nulls(tool: Tool, validator: jsonschema_rs.Validator, call: Call) -> bool:
    """Whether only nulls of optional properties are wrong, which MCP clients send for "none".

    The server gets them as they came, and has the last word.
    """
    if not isinstance(tool.source, McpSource):
        return False
    kept = _without_nulls(call.arguments, tool.input_schema.get("required"))
    return len(kept) < len(call.arguments) and validator.is_valid(kept)


def _without_nulls(arguments: JsonObject, required: object) -> JsonObject:
    needed = frozenset[Any](required if isinstance(required, list) else ())  # pyright: ignore[reportUnknownArgumentType]
    return {name: value for name, value in arguments.items() if value is not None or name in needed}


def _validator_or_reason(
    tool: Tool, schemas: InputSchemas
) -> jsonschema_rs.Validator | SchemaRefused:
    try:
        return schemas.compile(tool.input_schema)
    except SchemaRefused as reason:
        return reason


def _refusal(tool: Tool, validator: jsonschema_rs.Validator, call: Call) -> Refuse:
    try:
        violations = [
            {"path": _path(error), "reason": _reason(error, tool)}
            for error in _errors(validator, call)
        ]
    except ValueError:  # the validator's own recursion limit, reached while it quotes a value
        violations = [{"path": "", "reason": "nested too deeply to say what is wrong"}]
    sentence = "; ".join(f"{v['path']}: {v['reason']}".removeprefix(": ") for v in violations)
    return Refuse(
        ErrorCode.SCHEMA_VIOLATION,
        public=f"The arguments do not fit {tool.name}: {sentence}",
        # Reasons quote values, which may be personal: the record gets the places only.
        private="schema violated at " + ", ".join(v["path"] or "/" for v in violations),
        details={"violations": violations},
    )


def _errors(validator: jsonschema_rs.Validator, call: Call) -> Iterable[Any]:
    if len(call.raw_arguments) <= _FULLY_EXPLAINED_BYTES:
        return islice(validator.iter_errors(call.arguments), _MOST_REASONS)
    found: list[jsonschema_rs.ValidationError] = []
    try:
        validator.validate(call.arguments)
    except jsonschema_rs.ValidationError as first:
        found.append(first)
    return found


def _path(error: Any) -> str:
    return "".join(f"/{part}" for part in error.instance_path)[:_LONGEST_REASON]


def _reason(error: Any, tool: Tool) -> str:
    reason = str(error.message)[:_LONGEST_REASON]
    unexpected = getattr(error.kind, "unexpected", None)
    properties = tool.input_schema.get("properties")
    if not unexpected or error.instance_path or not isinstance(properties, Mapping):
        return reason
    known = [str(name) for name in properties]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    guess = process.extractOne(str(unexpected[0]), known, scorer=fuzz.ratio, score_cutoff=60)
    if guess:
        return f"{reason}; did you mean {guess[0]!r}?"
    return f"{reason}; known are {', '.join(known[:20])}" if known else reason
