"""What upstreams ask callers, read and judged. No I/O.

Source: specification 2026-07-28, basic/patterns/mrtr; 2025-11-25 client/elicitation.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from bascule.gateway.backchannel import Question
from bascule.gateway.capabilities import Capabilities
from bascule.gateway.errors import MissingCapability
from bascule.protocol.versions import LATEST_LEGACY_VERSION
from bascule.upstreams.mcp.messages import decode_members

ELICITATION: Final = "elicitation/create"
SAMPLING: Final = "sampling/createMessage"
ROOTS: Final = "roots/list"
_METHODS: Final = frozenset({ELICITATION, SAMPLING, ROOTS})
_MODES: Final = frozenset({None, "form", "url"})
_MOST_AT_ONCE: Final = 64
# What a browser would run, or read from this machine, is never handed on to be opened.
_WEB_ADDRESS: Final = re.compile(r"https?://[^\s\x00-\x1f]", re.IGNORECASE)


class InputRequest(NamedTuple):
    """A question as its upstream put it. `params` is a JSON object, None where it was absent.

    `mode` is that of an elicitation; `with_tools` is true of sampling that may call tools.
    """

    method: str
    params: bytes | None = None
    mode: str | None = None
    with_tools: bool = False

    def may_be_put(self, capabilities: Capabilities) -> bool:
        """Whether a caller of these capabilities declared that it can be asked this."""
        if not capabilities.allows(self.method, self.mode):
            return False
        return not self.with_tools or _has_sampling_tools(capabilities.raw)

    def members(self) -> dict[str, object]:
        """The request object, as `inputRequests` holds it."""
        members: dict[str, object] = {"method": self.method}
        if self.params is not None:
            members["params"] = msgspec.Raw(self.params)
        return members

    def for_legacy(self, version: str) -> Question:
        """The question in the terms of a legacy client that speaks `version`."""
        if self.method == ROOTS or self.params is None:
            return Question(self.method, b"{}")
        params = decode_members(self.params) or {}
        if self.method == ELICITATION and version < LATEST_LEGACY_VERSION:
            # Older revisions know the form only, and no word for it.
            params.pop("mode", None)
        elif self.mode == "url" and "elicitationId" not in params:
            params["elicitationId"] = msgspec.Raw(msgspec.json.encode(secrets.token_hex(16)))
        else:
            return Question(self.method, self.params)
        return Question(self.method, msgspec.json.encode(params))


class Asked(NamedTuple):
    """The questions of one `input_required` result by their keys, and its state."""

    requests: Mapping[str, InputRequest]
    state: str | None


class _InputRequired(msgspec.Struct):
    requests: dict[str, msgspec.Raw] | None = msgspec.field(name="inputRequests", default=None)
    state: str | None = msgspec.field(name="requestState", default=None)


class _Request(msgspec.Struct):
    method: str
    params: msgspec.Raw | UnsetType = UNSET


class _Params(msgspec.Struct):
    mode: str | None = None
    url: str | None = None
    tools: msgspec.Raw | UnsetType = UNSET
    tool_choice: msgspec.Raw | UnsetType = msgspec.field(name="toolChoice", default=UNSET)


class _Sampling(msgspec.Struct):
    tools: dict[str, msgspec.Raw] | None = None


class _Declared(msgspec.Struct):
    sampling: _Sampling | None = None


_decode_request = msgspec.json.Decoder(_Request).decode
_decode_params = msgspec.json.Decoder(_Params).decode
_decode_declared = msgspec.json.Decoder(_Declared).decode


def read_asked(body: Mapping[str, object]) -> Asked:
    """Read the members of an `input_required` result.

    Raises:
        ValueError: they break a rule of the specification; says which.
    """
    members = {name: body[name] for name in ("inputRequests", "requestState") if name in body}
    try:
        read = msgspec.json.decode(msgspec.json.encode(members), type=_InputRequired)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("its questions or their state are not of the right type") from None
    if read.requests is None and read.state is None:
        raise ValueError("it asks for input without any question or state")
    requests = read.requests or {}
    if len(requests) > _MOST_AT_ONCE:
        raise ValueError(f"it puts more than {_MOST_AT_ONCE} questions at once")
    return Asked({key: _read_object(one) for key, one in requests.items()}, read.state)


def read_request(method: str, params: msgspec.Raw | bytes | None) -> InputRequest:
    """Read one question.

    Raises:
        ValueError: callers are asked no such thing, or its parameters are not an object.
    """
    if method not in _METHODS:
        raise ValueError(f"it puts a question of the unknown kind {method[:64]!r}")
    if params is None:
        return InputRequest(method)
    given = bytes(params)
    if decode_members(given) is None:
        raise ValueError("the parameters of its question are not an object")
    try:
        read = _decode_params(given)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("the parameters of its question are not of the right type") from None
    if method == ELICITATION:
        if read.mode not in _MODES:
            raise ValueError(f"it asks in the unknown mode {read.mode!r:.66}")
        if read.mode == "url" and not _WEB_ADDRESS.match(read.url or ""):
            raise ValueError("it asks to open what is no web address")
        return InputRequest(method, given, read.mode)
    with_tools = read.tools is not UNSET or read.tool_choice is not UNSET
    return InputRequest(method, given, with_tools=method == SAMPLING and with_tools)


def missing_capability(request: InputRequest) -> MissingCapability:
    """The refusal of a call that needs `request` answered, for a caller who cannot be asked it."""
    required: dict[str, object]
    if request.method == ELICITATION:
        required = {"elicitation": {"url": {}} if request.mode == "url" else {}}
    elif request.method == SAMPLING:
        required = {"sampling": {"tools": {}} if request.with_tools else {}}
    else:
        required = {"roots": {}}
    name = next(iter(required))
    return MissingCapability(
        f"This call needs the client capability {name!r}, which the client did not declare.",
        details={"requiredCapabilities": required},
    )


def _read_object(request: msgspec.Raw) -> InputRequest:
    try:
        read = _decode_request(request)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("one of its questions is not a request") from None
    return read_request(read.method, None if read.params is UNSET else read.params)


def _has_sampling_tools(capabilities: bytes) -> bool:
    try:
        declared = _decode_declared(capabilities).sampling
    except msgspec.DecodeError:
        return False
    return declared is not None and declared.tools is not None
