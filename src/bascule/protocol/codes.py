"""JSON-RPC error codes a 2026-07-28 server may emit.

Source: specification 2026-07-28, basic/index "Error Codes". -32002 and -32042 are legacy only;
-32000 to -32019 are never used.
"""

from typing import Final

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
HEADER_MISMATCH: Final = -32020
MISSING_CLIENT_CAPABILITY: Final = -32021
UNSUPPORTED_VERSION: Final = -32022
LEGACY_RESOURCE_NOT_FOUND: Final = -32002
"""For legacy clients only (2025-11-25 server/resources "Error Handling")."""
LEGACY_URL_ELICITATION_REQUIRED: Final = -32042
"""For clients of 2025-11-25 only (client/elicitation "Error Handling")."""


def relayable(code: int) -> bool:
    """Whether an upstream's error code may reach the caller as it came.

    Of the protocol's own range only the missing capability speaks of the caller; the others would
    speak of this gateway's request, or are legacy ones a server must not emit.
    """
    if code == MISSING_CLIENT_CAPABILITY:
        return True
    return not (-32099 <= code <= -32020 or code == -32002)
