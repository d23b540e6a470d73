"""How many turns of a person, and of a tenant, may be under way at once, in all processes."""

import secrets
from collections.abc import Iterator
from typing import ClassVar, Final

from bascule.chat.leases import Lease, key_of
from bascule.chat.limits import ChatLimits
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.principal import Principal
from bascule.gateway.state import StateStore

_MOST_LOOKS: Final = 200


class TooManyTurns(GatewayError):
    """Nothing was begun; it can be, once another turn has ended."""

    error: ClassVar[ErrorCode] = ErrorCode.RATE_LIMITED


class Place:
    """What a turn takes of the bounds of its person and its tenant."""

    def __init__(self, leases: list[Lease]) -> None:
        self._leases = leases

    async def renew(self) -> None:
        """Keep it. One that was lost meanwhile is not missed: the turn is under way."""
        for lease in self._leases:
            await lease.renew()

    async def release(self) -> None:
        """Give it back."""
        for lease in self._leases:
            await lease.release()


class Places:
    """Numbered places in the state store; one that nobody renews is free after a while.

    Looking for a free one begins anywhere. Of more than 200 places 200 are looked at, so that a
    tenant may be refused when nearly all are taken.
    """

    def __init__(self, limits: ChatLimits, state: StateStore) -> None:
        self._limits = limits
        self._state = state

    async def take(self, principal: Principal) -> Place:
        """A place for a turn of `principal`.

        Raises:
            TooManyTurns: there is none.
            StateUnavailable: nobody knows.
        """
        tenant, most = principal.tenant, self._limits.turns_per_person
        person = await self._free(most, "person", tenant, principal.owner)
        if person is None:
            raise TooManyTurns(
                f"The assistant already works on {most} answers for you. "
                "Wait for one of them, or stop it."
            )
        try:
            whole = await self._free(self._limits.turns_per_tenant, "tenant", tenant)
        except BaseException:
            await person.release()
            raise
        if whole is None:
            await person.release()
            raise TooManyTurns("The assistant is busy with others. Try again in a minute.")
        return Place([person, whole])

    async def _free(self, most: int, *whose: str) -> Lease | None:
        token = secrets.token_bytes(16)
        for number in _numbers(most):
            key = key_of("place", *whose, str(number))
            lease = Lease(self._state, key, token, self._limits.lease_seconds)
            if await lease.take():
                return lease
        return None


def _numbers(most: int) -> Iterator[int]:
    first = secrets.randbelow(most)
    for number in range(min(most, _MOST_LOOKS)):
        yield (first + number) % most
