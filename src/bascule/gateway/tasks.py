"""Task ids as callers know them: a seal over where the task is, which only its owner can use.

Source: extension io.modelcontextprotocol/tasks, version 2026-07-28.
"""

from typing import Final, NamedTuple

import msgspec

from bascule.gateway.errors import StaleHandle
from bascule.gateway.principal import Principal
from bascule.gateway.sealing import Purpose, SealBroken, Sealer, owner_of

_encode = msgspec.json.encode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
NO_SUCH_TASK: Final = "No such task for you: params.taskId must be an id this server gave you."
"""The one refusal of all task ids that do not hold, whatever the reason."""


class TaskHandle(NamedTuple):
    """What a caller's task id stands for: `inner` is the upstream's id, `tool` the caller's name
    of the tool that began it, which is authorised again for each use."""

    upstream: str
    inner: str
    tool: str


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(TaskHandle).decode


class TaskIds:
    """Turns tasks of upstreams into ids of their owners, and back. Keeps nothing."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal(self, principal: Principal, handle: TaskHandle) -> str:
        """The id that `principal` uses for the task; nobody else can.

        Raises:
            ValueError: the upstream's id is too long to be sealed.
        """
        return self._sealer.seal(Purpose.TASK, _owner(principal), _pack(handle))

    def open(self, principal: Principal, task_id: str) -> TaskHandle:
        """What `task_id` stands for.

        Raises:
            StaleHandle: not given to this principal by this server, or changed; one text for all.
        """
        try:
            return _unpack(self._sealer.open(Purpose.TASK, _owner(principal), task_id))
        except (SealBroken, msgspec.DecodeError):
            raise StaleHandle(
                NO_SUCH_TASK,
                private=f"{principal.subject}: the task id does not open",
                details={"field": "taskId"},
            ) from None


def renamed(params: bytes | msgspec.Raw, task_id: str) -> bytes | None:
    """The params of `notifications/tasks` under the caller's id; all else but `_meta` as it came.

    None where they are not those of a task.
    """
    try:
        members = _decode_members(params)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    members["taskId"] = msgspec.Raw(_encode(task_id))
    for name in ("_meta", "requestState"):
        members.pop(name, None)
    return _encode(members)


def _owner(principal: Principal) -> str:
    return owner_of(principal.tenant, principal.owner)
