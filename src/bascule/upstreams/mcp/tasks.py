"""Tasks of an upstream, in answers to callers: under ids that are the callers' own.

Source: extension io.modelcontextprotocol/tasks, version 2026-07-28.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from bascule.gateway.call import Call, JsonObject
from bascule.gateway.tasks import TaskHandle, TaskIds
from bascule.upstreams.mcp.failures import failed

__all__ = ["TaskIds", "begun", "told"]

_decode_text = msgspec.json.Decoder(str).decode
# A task's questions and its outcome are told by tasks/get alone; a task has no request state.
_NOT_OF_A_NEW_TASK: Final = ("requestState", "inputRequests", "result", "error")


def begun(
    ids: TaskIds, call: Call, upstream: str, members: Mapping[str, msgspec.Raw]
) -> JsonObject:
    """The result that tells the caller of a task begun for it; all members but few as they came.

    Raises:
        UpstreamFailed: the caller did not declare that it knows of tasks, or there is no task id.
    """
    principal = call.principal
    if principal is None:
        raise RuntimeError("a task needs a principal")
    if not call.capabilities.tasks:
        raise failed(upstream, "it began a task for a caller that does not know of tasks")
    try:
        inner = _decode_text(members.get("taskId", b"null"))
        tool = call.tool.name if call.tool and not call.tool.home else call.tool_name
        task_id = ids.seal(principal, TaskHandle(upstream, inner, tool))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise failed(upstream, "the task it began has no id") from None
    except ValueError:
        raise failed(upstream, "the task it began has too long an id") from None
    kept: JsonObject = {
        name: value for name, value in members.items() if name not in _NOT_OF_A_NEW_TASK
    }
    return kept | {"taskId": task_id}


def told(call: Call, members: Mapping[str, msgspec.Raw]) -> JsonObject:
    """The answer to tasks/get, tasks/update or tasks/cancel under the id that the caller sent."""
    body: JsonObject = {name: value for name, value in members.items() if name != "requestState"}
    if "taskId" in body:
        body["taskId"] = call.more.task_id
    return body
