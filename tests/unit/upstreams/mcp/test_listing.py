import json
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.mcp.listing import (
    FOR_EVER,
    Freshness,
    ListKind,
    ListRefused,
    fetch_all,
    fetch_page,
    read_freshness,
    read_page,
)
from bascule.upstreams.mcp.messages import Outgoing


class Pages:
    """Answers by cursor, and notes what was sent."""

    def __init__(self, pages: Mapping[str | None, bytes]) -> None:
        self._pages = pages
        self.sent: list[Outgoing] = []

    async def exchange(self, request: Outgoing) -> bytes:
        self.sent.append(request)
        cursor = json.loads(b"{%b}" % request.members).get("cursor")
        return self._pages[cursor]


def prompts(*names: str, then: str | None = None, more: bytes = b"") -> bytes:
    listed = b",".join(b'{"name":"%b"}' % name.encode() for name in names)
    cursor = b"" if then is None else b',"nextCursor":%b' % msgspec.json.encode(then)
    return b'{"prompts":[%b]%b%b}' % (listed, cursor, more)


@pytest.mark.parametrize(
    ("kind", "member", "key"),
    [
        (ListKind.TOOLS, "tools", "name"),
        (ListKind.PROMPTS, "prompts", "name"),
        (ListKind.RESOURCES, "resources", "uri"),
        (ListKind.TEMPLATES, "resourceTemplates", "uriTemplate"),
    ],
)
def test_items_of_every_kind_are_kept_byte_for_byte(kind: ListKind, member: str, key: str) -> None:
    one = b'{ "%b" : "x", "x-unknown":[1.0],"_meta":{} }' % key.encode()
    page = read_page(kind, b'{"%b":[%b]}' % (member.encode(), one))
    assert [(item.key, item.definition) for item in page.items] == [("x", one)]
    assert (page.next_cursor, page.fresh) == (None, Freshness(0))


async def test_a_cursor_is_sent_as_it_came_even_an_empty_one() -> None:
    pages = Pages({None: prompts("a", then=""), "": prompts("b")})
    assert [one.key for one in (await fetch_page(pages.exchange, ListKind.PROMPTS, "")).items] == [
        "b"
    ]
    assert (pages.sent[0].method, pages.sent[0].members) == ("prompts/list", b'"cursor":""')


async def test_a_whole_list_holds_no_longer_than_its_least_page() -> None:
    first = prompts("a", then="2", more=b',"ttlMs":50,"cacheScope":"public"')
    pages = Pages({None: first, "2": prompts("b", more=b',"ttlMs":70,"cacheScope":"private"')})
    listing = await fetch_all(pages.exchange, ListKind.PROMPTS, most_pages=5, most_items=5)
    assert [one.key for one in listing.items] == ["a", "b"]
    assert listing.fresh == Freshness(50, public=False)


async def test_what_is_no_item_or_comes_twice_is_dropped_with_the_reason() -> None:
    body = b'{"prompts":[1,{"title":"x"},{"name":""},{"name":"%b"},{"name":"a"},{"name":"a"}]}'
    pages = Pages({None: body % (b"x" * 5000)})
    listing = await fetch_all(pages.exchange, ListKind.PROMPTS, most_pages=5, most_items=5)
    assert [one.key for one in listing.items] == ["a"]
    assert [reason for _, reason in listing.dropped] == [
        "another of this name is listed before it",
        "it is not a JSON object",
        "its name is no text",
        "its name is no text",
        "its name is longer than 4096 characters",
    ]


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ({None: prompts("a", then="1"), "1": prompts(then="1")}, "repeat themselves"),
        ({None: prompts(*"abcdef")}, "more than 5 items"),
        ({None: prompts(then="1"), "1": prompts(then="2"), "2": prompts()}, "more than 2 pages"),
        ({None: b"{}"}, "has no prompts"),
        ({None: b"[]"}, "is not one"),
        ({None: b'{"prompts":{}}'}, "is not one"),
        ({None: b'{"prompts":[],"nextCursor":1}'}, "is not one"),
    ],
)
async def test_what_is_no_list_is_refused(pages: dict[str | None, bytes], reason: str) -> None:
    with pytest.raises(ListRefused, match=reason):
        await fetch_all(Pages(pages).exchange, ListKind.PROMPTS, most_pages=2, most_items=5)


@pytest.mark.parametrize(
    "ttl", [b"-1", b"1.5", b'"1"', b"true", b"null", b"9007199254740992", b"?"]
)
def test_a_life_that_is_no_count_of_milliseconds_is_none(ttl: bytes) -> None:
    assert read_freshness(msgspec.Raw(ttl), None) == Freshness(0)


def test_freshness_is_public_only_where_it_says_so() -> None:
    assert read_freshness(msgspec.Raw(b"7"), msgspec.Raw(b'"public"')) == Freshness(7, public=True)
    assert FOR_EVER.and_of(Freshness(7, public=True)) == Freshness(7, public=True)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_page_or_refused(answer: bytes) -> None:
    try:
        page = read_page(ListKind.TOOLS, answer)
    except ListRefused:
        return
    assert page.next_cursor is None
