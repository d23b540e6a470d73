"""The parameters of each method: what must be there, of which type, and where a call keeps it.

Source: specification 2026-07-28, schema.ts; 2025-11-25 schema.ts for the methods of that era.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from bascule.gateway.call import NOTHING_MORE, Call, Method, More
from bascule.gateway.capabilities import TASKS_EXTENSION
from bascule.gateway.errors import ErrorCode
from bascule.gateway.feed import ListenFilter
from bascule.gateway.verdict import Refuse
from bascule.protocol.levels import LEVELS
from bascule.protocol.messages import Meta, Params, decode_arguments

_MOST_SUBSCRIPTIONS: Final = 1000
_LONGEST_URI: Final = 8192

Members = dict[str, Any]
"""Members of `More`, as far as they are known."""


class Fault(Exception):
    """Something is wrong with the message; carries the refusal."""

    def __init__(
        self, error: ErrorCode, public: str, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(public)
        self.refusal = Refuse(error, public, public, details)


class _Reference(msgspec.Struct):
    """The `ref` of a completion."""

    type: Literal["ref/prompt", "ref/resource"]
    name: str | UnsetType = UNSET
    uri: str | UnsetType = UNSET


class _Argument(msgspec.Struct):
    """The `argument` of a completion."""

    name: str
    value: str


class _Context(msgspec.Struct):
    """The `context` of a completion."""

    arguments: dict[str, str] | UnsetType = UNSET


_reference = msgspec.json.Decoder(_Reference)
_argument = msgspec.json.Decoder(_Argument)
_context = msgspec.json.Decoder(_Context)
_filter = msgspec.json.Decoder(ListenFilter)
_object = msgspec.json.Decoder(dict[str, Raw])


def fill_parameters(call: Call, params: Params, meta: Meta) -> None:
    """Put the parameters of `call.method` into `call`.

    Raises:
        Fault: one is missing, of the wrong type, or beyond any honest size.
    """
    fill = _FILL.get(call.method)
    more = fill(call, params) if fill is not None else None
    if meta.progress_token is not UNSET or meta.log_level is not UNSET:
        more = {**(more or {}), **_wishes(meta)}
    if more:
        call.more = More(**more)


def _wishes(meta: Meta) -> Members:
    """What the caller wants to be told while it waits."""
    wishes: Members = {}
    if meta.progress_token is not UNSET:
        wishes["progress_token"] = meta.progress_token
    if meta.log_level is not UNSET:
        wishes["log_level"] = _level(meta.log_level, "the log level")
    return wishes


def _fill_named(call: Call, params: Params) -> Members | None:
    """tools/call and prompts/get."""
    if params.name is UNSET:
        raise _missing(call, "name")
    call.tool_name = params.name
    if params.arguments is not UNSET:
        call.raw_arguments = bytes(params.arguments)
        try:
            call.arguments = decode_arguments(call.raw_arguments)
        except ValueError as error:
            raise Fault(ErrorCode.INVALID_VALUE, sentence(str(error))) from None
    if params.input_responses is UNSET and params.request_state is UNSET:
        return None
    return _retry(params)


def _retry(params: Params) -> Members:
    """What a caller adds that was asked something (basic/patterns/mrtr)."""
    given: Members = {}
    if params.input_responses is not UNSET:
        given["input_responses"] = bytes(params.input_responses)
    if params.request_state is not UNSET:
        given["request_state"] = params.request_state
    return given


def _fill_read(call: Call, params: Params) -> Members:
    return {**_fill_uri(call, params), **_retry(params)}


def _fill_uri(call: Call, params: Params) -> Members:
    if params.uri is UNSET or not params.uri:
        raise _missing(call, "uri")
    if len(params.uri) > _LONGEST_URI:
        raise _invalid("uri", f"is longer than {_LONGEST_URI} characters")
    return {"uri": params.uri}


def _fill_list(call: Call, params: Params) -> None:
    if params.cursor is not UNSET:
        call.cursor = params.cursor


def _fill_completion(call: Call, params: Params) -> Members:
    reference = _decoded(call, _reference, params.ref, "ref")
    named = reference.name if reference.type == "ref/prompt" else reference.uri
    if named is UNSET:
        field = "ref.name" if reference.type == "ref/prompt" else "ref.uri"
        raise _missing(call, field)
    _decoded(call, _argument, params.argument, "argument")
    members: Members = {"ref": _bytes(params.ref), "argument": _bytes(params.argument)}
    if params.context is not UNSET:
        _decoded(call, _context, params.context, "context")
        members["context"] = _bytes(params.context)
    return members


def _fill_level(call: Call, params: Params) -> Members:
    if params.level is UNSET:
        raise _missing(call, "level")
    return {"level": _level(params.level, "params.level")}


def _fill_listen(call: Call, params: Params) -> Members:
    wanted = _decoded(call, _filter, params.notifications, "notifications")
    for field in ("resource_subscriptions", "task_ids"):
        values: tuple[str, ...] = getattr(wanted, field)
        if len(values) > _MOST_SUBSCRIPTIONS or any(len(one) > _LONGEST_URI for one in values):
            raise _invalid(
                f"notifications: {field}",
                f"takes up to {_MOST_SUBSCRIPTIONS} values of {_LONGEST_URI} characters",
            )
    return {"wanted": wanted}


def _fill_task(call: Call, params: Params) -> Members:
    if not call.capabilities.tasks:
        # Before the id is looked at: who cannot have tasks learns nothing about them.
        needed = {"extensions": {TASKS_EXTENSION: dict[str, object]()}}
        raise Fault(
            ErrorCode.MISSING_CAPABILITY,
            f"{call.method} needs the client capability {TASKS_EXTENSION}.",
            {"requiredCapabilities": needed},
        )
    if params.task_id is UNSET:
        raise _missing(call, "taskId")
    return {"task_id": params.task_id, **_retry(params)}


_FILL: Final[Mapping[Method, Callable[[Call, Params], Members | None]]] = {
    Method.TOOLS_CALL: _fill_named,
    Method.PROMPTS_GET: _fill_named,
    Method.TOOLS_LIST: _fill_list,
    Method.PROMPTS_LIST: _fill_list,
    Method.RESOURCES_LIST: _fill_list,
    Method.TEMPLATES_LIST: _fill_list,
    Method.RESOURCES_READ: _fill_read,
    Method.SUBSCRIBE: _fill_uri,
    Method.UNSUBSCRIBE: _fill_uri,
    Method.COMPLETE: _fill_completion,
    Method.SET_LEVEL: _fill_level,
    Method.LISTEN: _fill_listen,
    Method.TASKS_GET: _fill_task,
    Method.TASKS_UPDATE: _fill_task,
    Method.TASKS_CANCEL: _fill_task,
}


def name_in_header(method: str, params: Params) -> str | None:
    """What the Mcp-Name header must say, None where it need not be there.

    A method nobody has needs none: it is unknown whatever its headers say.

    Source: specification 2026-07-28, basic/transports/streamable-http "Standard Request Headers".
    """
    value: str | UnsetType = UNSET
    if method in {"tools/call", "prompts/get"}:
        value = params.name
    elif method == "resources/read":
        value = params.uri
    elif method in {"tasks/get", "tasks/update", "tasks/cancel"}:
        value = params.task_id
    return None if value is UNSET else value


def streams(more: More) -> bool:
    """Whether a stateless request with these members may be told something before its result."""
    return more is not NOTHING_MORE and (
        more.progress_token is not None or more.log_level is not None or more.wanted is not None
    )


def sentence(reason: str) -> str:
    """`reason` with a capital, and bounded."""
    return reason[:1].upper() + reason[1:500]


def _decoded(
    call: Call, decoder: msgspec.json.Decoder[Any], raw: Raw | UnsetType, field: str
) -> Any:
    """`raw` as what it must be: a JSON object, of the right members."""
    if raw is UNSET:
        raise _missing(call, field)
    try:
        _object.decode(raw)
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid(field, f"cannot be used: {error}") from None


def _bytes(raw: Raw | UnsetType) -> bytes:
    return b"" if raw is UNSET else bytes(raw)


def _level(level: str, where: str) -> str:
    if level not in LEVELS:
        text = f"{where} must be one of: {', '.join(LEVELS)}"
        raise Fault(ErrorCode.INVALID_VALUE, sentence(text), {"field": "level"})
    return level


def _missing(call: Call, field: str) -> Fault:
    return Fault(ErrorCode.MISSING_FIELD, f"{call.method} needs params.{field}.", {"field": field})


def _invalid(field: str, reason: str) -> Fault:
    return Fault(ErrorCode.INVALID_VALUE, sentence(f"params.{field} {reason}"), {"field": field})
