"""The executor of tools whose service is not to be called."""

from typing import cast

import msgspec

from bascule.gateway.call import Call, JsonObject, Result
from bascule.gateway.tool import RestSource, Tool
from bascule.protocol.tools import text_content
from bascule.upstreams.mock.samples import sample

_NOTE = {"bascule/mode": "mock"}


class MockUpstream:
    """Answers every call from the output schema of its tool, and says so in `_meta`.

    Arguments are validated before, as always; what they say makes no difference.
    """

    async def execute(self, call: Call) -> Result:
        """The sample of the tool: no connection is made."""
        if call.tool is None:
            raise RuntimeError("a mock upstream executes tools")
        return Result(_body(call.tool))


def _body(tool: Tool) -> JsonObject:
    if tool.output_schema is None:
        text = f"{tool.name} would have been called. It describes no answer, so there is no sample."
        return {"content": [text_content(text)], "_meta": _NOTE}
    value = sample(tool.output_schema)
    is_object = isinstance(value, dict)
    structured = cast("JsonObject", value) if is_object else {"result": value}
    is_wrapped = isinstance(tool.source, RestSource) and tool.source.wraps_result
    shown: object = structured.get("result") if is_wrapped else value
    text = msgspec.json.encode(shown).decode()
    return {"content": [text_content(text)], "structuredContent": structured, "_meta": _NOTE}
