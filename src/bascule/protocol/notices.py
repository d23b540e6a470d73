"""Requests and notifications as this server sends them, and what belongs to a subscription.

Sources: specification 2026-07-28, basic/patterns/subscriptions and basic/patterns/cancellation.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bascule.protocol.messages import SUBSCRIPTION_KEY, MessageId

ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
CANCELLED: Final = "notifications/cancelled"

_encode = msgspec.json.Encoder().encode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def encode_notice(method: str, params: Mapping[str, Any] | bytes) -> bytes:
    """A notification; `params` as bytes are a JSON object as it came."""
    raw = params if isinstance(params, bytes) else _encode(params)
    return b'{"jsonrpc":"2.0","method":%b,"params":%b}' % (_encode(method), raw)


def encode_request(message_id: str, method: str, params: bytes) -> bytes:
    """A request to the client; empty `params` are left out."""
    head = b'{"jsonrpc":"2.0","id":%b,"method":%b' % (_encode(message_id), _encode(method))
    return b"%b%b}" % (head, b',"params":%b' % params if params else b"")


def tagged(params: bytes, subscription: MessageId) -> bytes:
    """`params` with the subscription they belong to; all else as it came.

    Raises:
        ValueError: `params`, or the `_meta` in them, are no JSON object.
    """
    try:
        members = _decode_members(params)
        meta = _decode_members(members.get("_meta", msgspec.Raw(b"{}")))
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"not the params of a notification: {error}") from None
    meta[SUBSCRIPTION_KEY] = msgspec.Raw(_encode(subscription))
    members["_meta"] = msgspec.Raw(_encode(meta))
    return _encode(members)


def acknowledgement(granted: object, subscription: MessageId) -> bytes:
    """The first message of a subscription; `granted` is what will be told, of what was wanted."""
    params = {"_meta": {SUBSCRIPTION_KEY: subscription}, "notifications": granted}
    return encode_notice(ACKNOWLEDGED, params)
