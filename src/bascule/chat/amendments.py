"""What a person has to say about one call of a turn."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from bascule.chat.approvals import expire, is_expired
from bascule.chat.drafts import Draft
from bascule.chat.parts import CallPart, CallState, Choice


@dataclass(frozen=True, slots=True)
class Amendment:
    """How the call changes, given the time in seconds since the epoch.

    `allows_tool`: the same goes for other calls of the tool that wait for a yes.
    """

    call_id: str
    change: Callable[[CallPart, float], CallPart]
    allows_tool: bool = False

    def check(self, draft: Draft, now: float) -> str:
        """The tool of the call, where the change could be made now.

        Raises:
            NotFound: there is no such call.
            Conflict, InvalidArgument: it could not.
        """
        _, call = draft.call(self.call_id)
        if not is_expired(call, now):
            self.change(call, now)
        return call.tool

    def apply(self, draft: Draft, now: float) -> bool:
        """Change the call; False where it waited too long for this, and is denied now.

        Raises:
            NotFound: there is no such call.
            Conflict, InvalidArgument: it cannot be changed so.
        """
        index, call = draft.call(self.call_id)
        if is_expired(call, now):
            draft.put(index, expire(call, now))
            return False
        changed = self.change(call, now)
        draft.put(index, changed)
        if self.allows_tool:
            for other_index, other in draft.calls(CallState.NEEDS_APPROVAL):
                if self._covers(call, other) and not is_expired(other, now):
                    draft.put(other_index, self._agreed(other))
        return True

    @staticmethod
    def _covers(call: CallPart, other: CallPart) -> bool:
        """Whether a yes for the tool of `call` goes for `other`: not where it was made before."""
        return other.tool == call.tool and other.made_before_at is None

    @staticmethod
    def _agreed(call: CallPart) -> CallPart:
        return replace(
            call, state=CallState.QUEUED, decided=Choice.CONVERSATION.value, expires_at=None
        )
