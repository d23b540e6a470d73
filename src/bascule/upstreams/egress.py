"""Where connections may go: what an operator wrote down, and never inside by way of a name.

A name is resolved once for each connection, every address it has is judged, and the connection
goes to one that was judged: who controls the name cannot change its mind in between.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import ClassVar, Final

from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.upstreams.addresses import (
    Address,
    Network,
    Reach,
    embedded,
    is_in,
    parse_address,
    reach_of,
)

_EXPLICIT: Final = frozenset({Reach.PUBLIC, Reach.LOOPBACK, Reach.PRIVATE})
_PUBLIC: Final = frozenset({Reach.PUBLIC})
_LOCALHOST: Final = "localhost"
_LOOPBACK: Final = IPv4Address("127.0.0.1")

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host name, for a port. OSError: it has none."""


class AddressRefused(GatewayError):
    """The rules forbid the connection. Nothing was sent, and trying again changes nothing."""

    error: ClassVar[ErrorCode] = ErrorCode.UPSTREAM_UNREACHABLE

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The service behind this tool may not be reached from here. Nothing was sent to it; "
            "an operator must allow its address first.",
            private=reason,
        )


async def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Address ranges as `10.0.0.0/8` or single addresses.

    Raises:
        ValueError: one is no range; names it.
    """
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ip_network(text))
        except ValueError as error:
            raise ValueError(
                f"{text[:80]!r} is no address range such as 10.0.0.0/8: {error}"
            ) from None
    return tuple(found)


@dataclass(frozen=True, slots=True)
class AddressRules:
    """Judges where a host leads.

    Public addresses are allowed, and so is what `allowed` holds. An address or `localhost` in a
    URL is its writer's choice, but for those where clouds keep credentials. A name that leads
    anywhere else is refused, whichever of its addresses does so.

    With `only_public`, writers have no such choice: what is not public has to be in `allowed`.
    """

    allowed: tuple[Network, ...] = ()
    lookup: Lookup = look_up
    only_public: bool = False

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Every address that `host` has, all of them allowed; connect to these and no others.

        Raises:
            AddressRefused: one is not allowed; names it, and what would allow it.
            OSError: the name cannot be resolved.
        """
        host = host.removesuffix(".")
        try:
            literal = parse_address(host)
        except ValueError as error:
            raise AddressRefused(f"{error}.") from None
        if literal is not None:
            self._judge_literal(literal)
            return (str(literal),)
        found = await self.lookup(host, port)
        if not found:
            raise OSError(f"{host} has no address")
        for text in found:
            self._judge_named(host, text)
        return found

    def _judge_literal(self, address: Address) -> None:
        reach = reach_of(address)
        explicit = _PUBLIC if self.only_public else _EXPLICIT
        if reach not in explicit and not self._is_allowed(address):
            raise AddressRefused(f"{address} is {reach}. {_remedy(address)}")

    def _judge_named(self, host: str, text: str) -> None:
        # A resolver may add the zone of a link-local address, which is not public anyway.
        address = ip_address(text.partition("%")[0])
        reach = reach_of(address)
        if reach is Reach.PUBLIC:
            return
        if reach is Reach.LOOPBACK and host.lower() == _LOCALHOST and not self.only_public:
            return
        if not self._is_allowed(address):
            raise AddressRefused(f"{host} leads to {address}, {reach}. {_remedy(address)}")

    def _is_allowed(self, address: Address) -> bool:
        if is_in(address, self.allowed):
            return True
        inner = embedded(address) if isinstance(address, IPv6Address) else None
        return inner is not None and is_in(inner, self.allowed)

    def widened(self, networks: Iterable[str]) -> "AddressRules":
        """These rules, with more ranges allowed. ValueError: one is no range."""
        return replace(self, allowed=(*self.allowed, *parse_networks(networks)))

    def for_strangers(self) -> "AddressRules":
        """These rules, for URLs whose writer is not trusted with addresses inside."""
        return replace(self, only_public=True)

    def is_open_to_strangers(self, host: str) -> bool:
        """May anybody name `host`, seen by itself? What a name leads to is judged on connecting."""
        host = host.removesuffix(".").lower()
        try:
            literal = parse_address(host)
        except ValueError:
            return False
        if literal is None:
            return host != _LOCALHOST or is_in(_LOOPBACK, self.allowed)
        return reach_of(literal) is Reach.PUBLIC or self._is_allowed(literal)


def _remedy(address: Address) -> str:
    inner = embedded(address) if isinstance(address, IPv6Address) else None
    return (
        f"If that is meant, a range that holds {inner or address} belongs in the setting "
        "upstreams.allowed_networks, or in the networks of this upstream's connector."
    )


PUBLIC_ONLY: Final = AddressRules()
"""The rules where an operator allowed nothing more."""

ANYWHERE: Final = AddressRules(parse_networks(("0.0.0.0/0", "::/0")))
"""For addresses out of the installation's own settings."""
