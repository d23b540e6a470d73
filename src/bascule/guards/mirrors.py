"""Arguments that a modern HTTP request repeats in headers must say the same in both.

Source: specification 2026-07-28, basic/transports/streamable-http "Custom Headers from Tool
Parameters".
"""

from collections.abc import Mapping

from bascule.gateway.call import Call
from bascule.gateway.errors import ErrorCode
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import Refuse
from bascule.protocol.headers import HeaderMismatch
from bascule.protocol.mirroring import check_mirrors


def judge_mirrors(tool: Tool, call: Call, headers: Mapping[bytes, bytes]) -> Refuse | None:
    """Refuse where a header that `tool` asks for is missing or contradicts the arguments."""
    try:
        check_mirrors(tool.mirrors, call.arguments, headers)
    except HeaderMismatch as mismatch:
        return Refuse(
            ErrorCode.HEADER_MISMATCH,
            public=f"Header mismatch: {mismatch}.",
            private=f"header mismatch: {mismatch}",
        )
    return None
