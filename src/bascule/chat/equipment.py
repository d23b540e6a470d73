"""What all turns share: the ports, the limits, the time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from bascule.chat.limits import ChatLimits
from bascule.chat.models import Model
from bascule.chat.toolbox import Toolbox
from bascule.gateway.digests import Digest
from bascule.gateway.principal import Principal


def pseudonyms(digest: Digest) -> Callable[[Principal], str]:
    """What a provider is told of a person: 32 digits that are the same for them each time.

    `digest` is keyed: who has no key cannot find out by trying whose they are.
    """

    def pseudonym(principal: Principal) -> str:
        owner = f"{principal.tenant}\0{principal.owner}"
        return digest(owner.encode(errors="replace"))[:32]

    return pseudonym


Meter: TypeAlias = Callable[[Principal, str, int, int], None]
"""Is told of each answer of a model: for whom, by which model, tokens in and out."""


def unmetered(principal: Principal, model: str, tokens_in: int, tokens_out: int) -> None:
    """A `Meter` that counts nothing."""
    del principal, model, tokens_in, tokens_out


@dataclass(frozen=True, slots=True)
class Equipment:
    """`clock` gives seconds since the epoch, `pause` waits for as many as it is given."""

    model: Model
    toolbox: Toolbox
    limits: ChatLimits
    instructions: str
    clock: Callable[[], float]
    new_id: Callable[[], str]
    pause: Callable[[float], Awaitable[object]]
    pseudonym: Callable[[Principal], str]
    meter: Meter = unmetered
