"""Which changes a server says it can tell of, in the capabilities it advertised.

Source: specification 2026-07-28, schema.ts `ServerCapabilities`.
"""

import msgspec

from bascule.gateway.capabilities import TASKS_EXTENSION
from bascule.gateway.feed import ChangeKind, ListenFilter
from bascule.gateway.filters import LISTS


class _Changes(msgspec.Struct, rename="camel"):
    list_changed: bool = False
    subscribe: bool = False


class _Advertised(msgspec.Struct):
    tools: _Changes | None = None
    prompts: _Changes | None = None
    resources: _Changes | None = None
    extensions: dict[str, object] | None = None


_decode = msgspec.json.Decoder(_Advertised).decode


def promised(wanted: ListenFilter, capabilities: bytes) -> ListenFilter:
    """What of `wanted` a server with these capabilities tells; nothing if they make no sense."""
    try:
        server = _decode(capabilities)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ListenFilter()
    subscribes = server.resources is not None and server.resources.subscribe
    has_tasks = TASKS_EXTENSION in (server.extensions or {})
    return ListenFilter(
        wanted.tools_list_changed and _tells(server.tools),
        wanted.prompts_list_changed and _tells(server.prompts),
        wanted.resources_list_changed and _tells(server.resources),
        wanted.resource_subscriptions if subscribes else (),
        wanted.task_ids if has_tasks else (),
    )


def offered(capabilities: bytes) -> set[ChangeKind]:
    """The lists that a server with these capabilities has, whether or not it tells of changes."""
    try:
        server = _decode(capabilities)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return set()
    members = (server.tools, server.prompts, server.resources)
    return {kind for kind, member in zip(LISTS, members, strict=True) if member is not None}


def _tells(changes: _Changes | None) -> bool:
    return changes is not None and changes.list_changed
