"""Answers as they go on the wire, in the terms of the caller's era.

Source: specification 2026-07-28 basic/index ("ResultType", "_meta"), server/utilities/caching;
2025-11-25 basic/lifecycle.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bascule.protocol.messages import SERVER_INFO_KEY, MessageId
from bascule.protocol.versions import Era

_encoder = msgspec.json.Encoder()
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_OURS: Final = "io.bascule/"
_MODERN_ONLY: Final = frozenset({"resultType", "ttlMs", "cacheScope"})


class Identity(msgspec.Struct, frozen=True):
    """Who this server says it is (`serverInfo`)."""

    name: str
    version: str
    title: str = "Bascule"


def encode_result(
    message_id: MessageId,
    result: Mapping[str, object],
    era: Era,
    identity: Identity,
    kind: str = "complete",
) -> bytes:
    """Encode a success; `result` holds the era-neutral members, `kind` is its `resultType`."""
    members = _modern(result, identity, kind) if era is Era.MODERN else _legacy(result)
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (
        _encoder.encode(message_id),
        _encoder.encode(members),
    )


def encode_error(
    message_id: MessageId, code: int, message: str, data: Mapping[str, object] | None = None
) -> bytes:
    """Encode a failure. Without a readable id there is no such member (schema.ts: never null)."""
    error: dict[str, object] = {"code": code, "message": message}
    if data:
        error["data"] = data
    answer = {"jsonrpc": "2.0", "id": message_id, "error": error}
    if message_id is None:
        del answer["id"]
    return _encoder.encode(answer)


def tool_error(text: str, meta: Mapping[str, object]) -> dict[str, object]:
    """A CallToolResult that tells the model what went wrong, so that it can do better."""
    return {"content": [{"type": "text", "text": text}], "isError": True, "_meta": meta}


def discover_result(versions: tuple[str, ...], instructions: str) -> dict[str, object]:
    """The answer to `server/discover`: only what is really served is advertised."""
    return {
        "supportedVersions": versions,
        "capabilities": {"tools": {}},
        "instructions": instructions,
        "ttlMs": 0,
        "cacheScope": "private",
    }


def initialize_result(version: str, identity: Identity, instructions: str) -> dict[str, object]:
    """The answer to a legacy `initialize` that agreed on `version`."""
    return {
        "protocolVersion": version,
        "capabilities": {"tools": {}},
        "serverInfo": identity,
        "instructions": instructions,
    }


def _modern(result: Mapping[str, object], identity: Identity, kind: str) -> dict[str, Any]:
    members: dict[str, Any] = {"resultType": kind, **result}
    members["_meta"] = {**_meta(members.get("_meta")), SERVER_INFO_KEY: identity}
    return members


def _meta(relayed: object) -> dict[str, Any]:
    """An upstream is untrusted: a `_meta` that is no object is dropped, not a reason to fail.

    Nor does one speak in the gateway's name.
    """
    if relayed is None:
        return {}
    try:
        if not isinstance(relayed, msgspec.Raw):
            return msgspec.convert(relayed, dict[str, Any])
        members = _decode_members(relayed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return {name: value for name, value in members.items() if not name.startswith(_OURS)}


def _legacy(result: Mapping[str, object]) -> Mapping[str, object]:
    if "_meta" in result:
        return _without_server(result)
    if _MODERN_ONLY.isdisjoint(result):
        return result
    return {key: value for key, value in result.items() if key not in _MODERN_ONLY}


def _without_server(result: Mapping[str, object]) -> Mapping[str, object]:
    """Without what is modern only, in `_meta` too; an empty `_meta` is left out."""
    members = {key: value for key, value in result.items() if key not in _MODERN_ONLY}
    meta = _meta(members["_meta"])
    meta.pop(SERVER_INFO_KEY, None)
    members["_meta"] = meta
    if not meta:
        del members["_meta"]
    return members
