"""The headers an HTTP request with a message would have, for channels that have none.

Both eras are told apart, and methods and names checked, by these headers; on a shared channel the
message alone says it all. Source: specification 2026-07-28, basic/transports/stdio.
"""

from collections.abc import Mapping

from msgspec import UNSET

from bascule.protocol import headers as wire
from bascule.protocol.headers import encode_value
from bascule.protocol.messages import Message
from bascule.transports.parameters import name_in_header


def headers_like(message: Message, legacy_version: str) -> Mapping[bytes, bytes]:
    """The standard headers that agree with `message`; a legacy one is of `legacy_version`.

    A version or method beyond printable ASCII cannot agree, and gives a mismatch.
    """
    params = message.params
    meta = params.meta if params is not UNSET else UNSET
    version = meta.protocol_version if meta is not UNSET else UNSET
    if version is UNSET or message.method is UNSET or params is UNSET:
        return {wire.PROTOCOL_VERSION: legacy_version.encode()}
    headers = {
        wire.PROTOCOL_VERSION: version.encode("latin-1", "replace"),
        wire.METHOD: message.method.encode("latin-1", "replace"),
    }
    name = name_in_header(message.method, params)
    if name is not None:
        headers[wire.NAME] = encode_value(name).encode()
    return headers


def looks_modern(headers: Mapping[bytes, bytes]) -> bool:
    """Whether `headers_like` made these for a stateless request."""
    return wire.METHOD in headers
