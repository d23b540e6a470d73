"""Lists of an upstream, of any kind: read page by page, every definition kept byte for byte.

Source: specification 2026-07-28, server/utilities/pagination and server/utilities/caching.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from bascule.upstreams.mcp.messages import Outgoing, member

Exchange = Callable[[Outgoing], Awaitable[msgspec.Raw | bytes]]
"""Sends a request and gives the `result` of its response."""

_LONGEST_NAME: Final = 4096
_MOST_MILLISECONDS: Final = 2**53 - 1


class ListKind(StrEnum):
    """What an upstream may list, by the method that asks for it."""

    TOOLS = "tools/list"
    PROMPTS = "prompts/list"
    RESOURCES = "resources/list"
    TEMPLATES = "resources/templates/list"


_MEMBERS: Final = {
    ListKind.TOOLS: ("tools", "name"),
    ListKind.PROMPTS: ("prompts", "name"),
    ListKind.RESOURCES: ("resources", "uri"),
    ListKind.TEMPLATES: ("resourceTemplates", "uriTemplate"),
}
"""For each kind: the member of the result that is the list, and what tells its items apart."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing listed. `key` is its name, URI or URI template; `definition` is JSON, verbatim."""

    key: str
    definition: bytes


class Freshness(NamedTuple):
    """How long an answer holds, and whether users may share it."""

    ttl_ms: int = 0
    public: bool = False

    def and_of(self, other: "Freshness") -> "Freshness":
        """That of an answer made of both."""
        return Freshness(min(self.ttl_ms, other.ttl_ms), self.public and other.public)


FOR_EVER: Final = Freshness(_MOST_MILLISECONDS, public=True)
"""That of an answer made of nothing yet."""


class Page(NamedTuple):
    """One answer; `""` is a valid cursor."""

    items: tuple[Item, ...]
    next_cursor: str | None = None
    fresh: Freshness = Freshness()
    dropped: tuple[tuple[bytes, str], ...] = ()
    """What is no such item, and why."""


class Listing(NamedTuple):
    """A whole list, as fresh and as public as the least of its pages."""

    items: tuple[Item, ...]
    fresh: Freshness = Freshness()
    dropped: tuple[tuple[bytes, str], ...] = ()


class ListRefused(ValueError):
    """The answers do not make a list; completes "no usable answer: …"."""


_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_cursor = msgspec.json.Decoder(str | None).decode
_decode_any: Callable[[bytes], Any] = msgspec.json.Decoder().decode


async def fetch_page(exchange: Exchange, kind: ListKind, cursor: str | None = None) -> Page:
    """Ask for one page.

    Raises:
        ListRefused: the answer is not one to `kind`.
        GatewayError: as `exchange`.
    """
    members = b"" if cursor is None else member("cursor", cursor)
    return read_page(kind, await exchange(Outgoing(kind, members)))


async def fetch_all(
    exchange: Exchange, kind: ListKind, *, most_pages: int, most_items: int
) -> Listing:
    """Ask for the whole list; of two items with one key the first is kept.

    Raises:
        ListRefused: a page is none, or the list is longer than allowed, or goes in circles.
        GatewayError: as `exchange`.
    """
    items: dict[str, Item] = {}
    dropped: list[tuple[bytes, str]] = []
    cursors: set[str] = set()
    cursor, fresh = None, FOR_EVER
    for _ in range(most_pages):
        page = await fetch_page(exchange, kind, cursor)
        dropped += [
            (item.definition, "another of this name is listed before it")
            for item in page.items
            if items.setdefault(item.key, item) is not item
        ]
        if len(items) > most_items:
            raise ListRefused(f"its answers to {kind} name more than {most_items} items")
        dropped.extend(page.dropped)
        fresh = fresh.and_of(page.fresh)
        cursor = page.next_cursor
        if cursor is None:
            return Listing(tuple(items.values()), fresh, tuple(dropped))
        if cursor in cursors:
            raise ListRefused(f"its answers to {kind} repeat themselves without end")
        cursors.add(cursor)
    raise ListRefused(f"its answers to {kind} have more than {most_pages} pages")


def read_page(kind: ListKind, result: msgspec.Raw | bytes) -> Page:
    """Read one answer.

    Raises:
        ListRefused: it is not an answer to `kind`.
    """
    list_name, key_name = _MEMBERS[kind]
    try:
        members = _decode_members(result)
        definitions = _decode_list(members[list_name])
        cursor = _decode_cursor(members.get("nextCursor", b"null"))
    except KeyError:
        raise ListRefused(f"its answer to {kind} has no {list_name}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ListRefused(f"its answer to {kind} is not one ({error})") from None
    items: list[Item] = []
    dropped: list[tuple[bytes, str]] = []
    for definition in definitions:
        raw = bytes(definition)
        try:
            items.append(Item(_key(raw, key_name), raw))
        except ValueError as reason:
            dropped.append((raw, str(reason)))
    fresh = read_freshness(members.get("ttlMs"), members.get("cacheScope"))
    return Page(tuple(items), cursor, fresh, tuple(dropped))


def read_freshness(ttl: msgspec.Raw | None, scope: msgspec.Raw | None) -> Freshness:
    """Read `ttlMs` and `cacheScope`; what is absent or unfit means not at all, and no."""
    plain = _scalar(ttl)
    fit = isinstance(plain, int) and not isinstance(plain, bool)
    ttl_ms = plain if fit and 0 <= plain <= _MOST_MILLISECONDS else 0
    return Freshness(ttl_ms, _scalar(scope) == "public")


def _scalar(raw: msgspec.Raw | None) -> Any:
    try:
        return None if raw is None else _decode_any(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _key(definition: bytes, name: str) -> str:
    try:
        key = _scalar(_decode_members(definition).get(name))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("it is not a JSON object") from None
    if not isinstance(key, str) or not key:
        raise ValueError(f"its {name} is no text")
    if len(key) > _LONGEST_NAME:
        raise ValueError(f"its {name} is longer than {_LONGEST_NAME} characters")
    return key
