"""Arguments that a bundle fixes: nobody may send them, and every call gets them."""

from collections.abc import Mapping

import msgspec

from bascule.gateway.call import Call
from bascule.gateway.errors import ErrorCode
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import Refuse


def whole_schema(tool: Tool) -> Mapping[str, object]:
    """What a call must fit once it has all its arguments: `tool.input_schema` may lack some."""
    return tool.input_schema if tool.home is None else tool.home.input_schema


def fix_arguments(tool: Tool, call: Call) -> Refuse | None:
    """Put what the bundle fixes into `call`; refuse where its caller sent such an argument.

    The caller learns no more than that there is no such argument: it is not in the schema.
    """
    sent = [name for name in tool.defaults if name in call.arguments]
    if sent:
        reason = f"{sent[0]!r} is no argument of this tool"
        return Refuse(
            ErrorCode.SCHEMA_VIOLATION,
            public=f"The arguments do not fit {tool.name}: {reason}",
            private=f"sent what the bundle {tool.bundle} fixes: {', '.join(sent)}",
            details={"violations": [{"path": "", "reason": reason}]},
        )
    call.arguments = {**call.arguments, **tool.defaults}
    call.raw_arguments = msgspec.json.encode(call.arguments)
    return None
