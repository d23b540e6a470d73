"""Arguments are checked against the tool's input schema before anything is executed."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, NoReturn

import jsonschema_rs
from rapidfuzz import fuzz, process

from bascule.gateway.call import Call, JsonObject, Method
from bascule.gateway.documents import encode_document
from bascule.gateway.errors import ErrorCode
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import FailureMode
from bascule.gateway.tool import McpSource, Tool
from bascule.gateway.verdict import PASS, Refuse, Verdict
from bascule.guards.fixed import fix_arguments, whole_schema
from bascule.guards.mirrors import judge_mirrors
from bascule.guards.prompts import judge_prompt_arguments
from bascule.protocol.schemas import MOST_VISITS, expanded_size

_MOST_REASONS: Final = 5
_LONGEST_REASON: Final = 300
_MOST_KEPT_BYTES: Final = 8 * 1024 * 1024
"""Text of the schemas whose validators are kept, which take some 25 times as much."""
_LEAST_BYTES: Final = 512
_MOST_CALLED: Final = 20_000
_DIGEST_BYTES: Final = 16
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


Validator = jsonschema_rs.Validator


class SchemaRefused(ValueError):
    """A schema that cannot be compiled safely; the message says why."""


class InputSchemas:
    """Compiled validators, shared by all snapshots and by all tools whose schemas are the same.

    Those of very many tools do not fit into memory: the oldest make room for new ones, and are
    compiled again, in about a tenth of a millisecond, by the next call that needs them.
    """

    def __init__(self, most_bytes: int = _MOST_KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: dict[bytes, tuple[Validator | SchemaRefused, int]] = {}
        self.losses = 0
        """How often old ones made room; whoever holds validators may let go of them then."""

    @property
    def is_full(self) -> bool:
        """Whether a new one would take the place of another soon."""
        return self._bytes >= self._most_bytes * 9 // 10

    def compile(self, schema: Mapping[str, object]) -> Validator:
        """Compile `schema` (2020-12 unless it says otherwise), unless it is known.

        Network and file references are refused, and patterns run in linear time.

        Raises:
            SchemaRefused: not a schema, one that refers to the outside, or one that makes more
                than `MOST_VISITS` checks of one value.
        """
        found = self.find(schema)
        if isinstance(found, SchemaRefused):
            raise found.with_traceback(None)
        return found

    def find(self, schema: Mapping[str, object]) -> Validator | SchemaRefused:
        """As `compile`; a refusal comes as a value."""
        text = encode_document(schema)
        key = blake2b(text, digest_size=_DIGEST_BYTES).digest()
        kept = self._kept.get(key)
        if kept is None:
            kept = _compiled(schema), max(len(text), _LEAST_BYTES)
            self._make_room(kept[1])
            self._kept[key] = kept
            self._bytes += kept[1]
        return kept[0]

    def prepare(self, tool: Tool) -> None:
        """Compile now what a call of `tool` would need, and its answer."""
        self.find(whole_schema(tool))
        if tool.output_schema is not None and not isinstance(tool.source, McpSource):
            self.find(tool.output_schema)

    def _make_room(self, more_bytes: int) -> None:
        if self._bytes + more_bytes <= self._most_bytes:
            return
        self.losses += 1
        # A quarter at once: so it is rare, and whoever holds on to validators is seldom asked.
        while self._kept and self._bytes + more_bytes > self._most_bytes * 3 // 4:
            _, lost_bytes = self._kept.pop(next(iter(self._kept)))
            self._bytes -= lost_bytes


def _compiled(schema: Mapping[str, object]) -> Validator | SchemaRefused:
    try:
        return _compile(schema)
    except SchemaRefused as reason:
        return reason.with_traceback(None)


def _compile(schema: Mapping[str, object]) -> Validator:
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
        del snapshot  # tools bring their schemas along, also those that no list has
        self._schemas = schemas
        self._losses = schemas.losses
        self._called: dict[int, tuple[Tool, Validator | SchemaRefused]] = {}
        """By the identity of the tool, which is held so that no other can have it."""

    async def inbound(self, call: Call) -> Verdict:
        """Check `call.arguments`; names each place that is wrong, and why."""
        tool = call.tool
        if tool is None:
            return _judge_prompt(call) if call.method is Method.PROMPTS_GET else PASS
        if tool.mirrors and call.headers is not None:
            refusal = judge_mirrors(tool, call, call.headers)
            if refusal is not None:
                return refusal
        if tool.defaults:
            refusal = fix_arguments(tool, call)
            if refusal is not None:
                return refusal
        called = self._called.get(id(tool))
        validator = self._find(tool) if called is None else called[1]
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

    def _find(self, tool: Tool) -> Validator | SchemaRefused:
        found = self._schemas.find(whole_schema(tool))
        if self._losses != self._schemas.losses or len(self._called) >= _MOST_CALLED:
            self._losses = self._schemas.losses
            self._called.clear()
        self._called[id(tool)] = tool, found
        return found


def _judge_prompt(call: Call) -> Verdict:
    target, tenant = call.target, call.principal.tenant if call.principal else ""
    if target is None:
        return PASS
    inventory = call.snapshot.tenant(tenant).inventories.get(target.upstream)
    prompt = None if inventory is None else inventory.prompts.get(target.name)
    return judge_prompt_arguments(call, prompt) or PASS


def _fits_without_nulls(tool: Tool, validator: Validator, call: Call) -> bool:
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


def _refusal(tool: Tool, validator: Validator, call: Call) -> Refuse:
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


def _errors(validator: Validator, call: Call) -> Iterable[Any]:
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
