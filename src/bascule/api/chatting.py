"""Who talks to the assistant, by way of the REST API."""

from collections.abc import Callable
from typing import Final

from bascule.api.assistant import Assistant
from bascule.api.caller import Caller
from bascule.api.chat_store import ConversationStore
from bascule.api.control import Control
from bascule.api.errors import Refused
from bascule.chat.desk import Person
from bascule.gateway.errors import ErrorCode, Forbidden, GatewayError
from bascule.gateway.principal import Principal
from bascule.gateway.verdict import Refuse

TALKING: Final = "tools:execute"
"""The permission that whoever talks to the assistant has, from the first word to the last."""


class NoAssistant(GatewayError):
    """This process has no assistant."""

    error = ErrorCode.UNAVAILABLE


def assistant_of(control: Control) -> Assistant:
    """The assistant.

    Raises:
        NoAssistant: there is none in this process.
    """
    if control.assistant is None:
        raise NoAssistant("This gateway has no assistant.")
    return control.assistant


def owner_of(caller: Caller) -> Principal:
    """Whose conversations a request is about: the caller's own, in their own tenant.

    Raises:
        Forbidden: the caller acts in another tenant.
    """
    if caller.home is not None:
        raise Forbidden(
            "Your conversations are in your own tenant: leave out the header that names one."
        )
    return caller.principal


def person_of(
    control: Control, caller: Caller, *, zone: str = "UTC", idempotency_key: str | None = None
) -> Person:
    """The caller, as somebody who talks to the assistant.

    Raises:
        Forbidden: the caller acts in another tenant.
    """
    principal = owner_of(caller)
    store = ConversationStore(control.database, principal.tenant, principal.owner, idempotency_key)
    return Person(standing_of(control, principal), store, zone)


def standing_of(control: Control, principal: Principal) -> Callable[[], Principal]:
    """Judges `principal` anew whenever it is called, by the snapshot then in force.

    Raises `Refused` where they must not come in any more, `Forbidden` where they may not use tools.
    """

    def standing() -> Principal:
        found = control.authenticator.judge_anew(principal, control.snapshot())
        if isinstance(found, Refuse):
            raise Refused(found)
        if not found.may(TALKING):
            raise Forbidden(
                f"This needs the permission {TALKING}; ask an administrator for a role with it.",
                details={"permission": TALKING},
            )
        return found

    return standing
