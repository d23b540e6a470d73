import json
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from bascule.catalogue import resources as room
from bascule.catalogue.listing import MISSING_META, NotServed
from bascule.catalogue.owners import Owners
from bascule.catalogue.resources import ListResources
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.decision import Circumstances
from bascule.gateway.errors import InvalidValue, UpstreamFailed, UpstreamTimeout
from bascule.gateway.inventory import Target
from bascule.gateway.principal import Principal
from bascule.gateway.seals import Seals
from bascule.gateway.snapshot import TenantView
from fakes.catalogue import make_principal
from fakes.relayed import FakePages, make_inventory, make_view, page_of, snapshot_of

BOTH = make_view(make_inventory("alpha"), make_inventory("beta"))
ALPHA = Endpoint(EndpointKind.SERVER, "alpha")
TIMEOUT = UpstreamTimeout("no", private="alpha: no")


class Sees:
    """Sees all but what is hidden, by (server, URI)."""

    def __init__(self, *hidden: tuple[str, str]) -> None:
        self._hidden = hidden

    async def sees_each(
        self, principal: Principal, targets: Sequence[Target], circumstances: Circumstances
    ) -> list[bool]:
        del principal, circumstances
        return [(one.upstream, one.inner) not in self._hidden for one in targets]


class Lists:
    """A list of resources, and who asks for it."""

    def __init__(
        self,
        pages: FakePages,
        sight: Sees | None = None,
        *,
        view: TenantView = BOTH,
        one_caller: bool = False,
    ) -> None:
        self.pages = pages
        self.view = view
        self._list = ListResources(
            pages, sight or Sees(), Owners(pages), Seals([b"k" * 32]), one_caller=one_caller
        )

    async def ask(
        self, cursor: str | None = None, endpoint: Endpoint | None = None, subject: str = "ann"
    ) -> Any:
        call = Call(Method.RESOURCES_LIST, "c-1", cursor=cursor, endpoint=endpoint or Endpoint())
        call.snapshot, call.principal = snapshot_of(self.view), make_principal(subject)
        return json.loads(msgspec.json.encode((await self._list.execute(call)).body))

    async def all(self) -> list[str]:
        uris: list[str] = []
        body = await self.ask()
        while True:
            uris += [one["uri"] for one in body["resources"]]
            if "nextCursor" not in body:
                return uris
            body = await self.ask(body["nextCursor"])


async def test_all_pages_of_all_servers_come_one_after_the_other() -> None:
    pages = FakePages(
        {
            ("alpha", None): page_of("a://1", then=""),
            ("alpha", ""): page_of("a://2"),
            ("beta", None): page_of("b://1"),
        }
    )
    assert await Lists(pages).all() == ["a://1", "a://2", "b://1"]
    assert pages.asked == [("alpha", None), ("alpha", ""), ("beta", None)]


async def test_a_server_that_has_no_resources_is_not_asked_for_any() -> None:
    view = make_view(
        make_inventory("alpha", capabilities=b'{"tools":{}}'),
        make_inventory("beta"),
        upstreams=["silent"],
    )
    pages = FakePages({("beta", None): page_of("b://1"), ("alpha", None): TIMEOUT})
    assert await Lists(pages, view=view).all() == ["b://1"]
    assert [server for server, _ in pages.asked] == ["beta", "silent"]


async def test_definitions_are_passed_on_as_they_came() -> None:
    body = await Lists(FakePages({("alpha", None): page_of("a://1")})).ask(endpoint=ALPHA)
    assert body == {"resources": [{"uri": "a://1"}], "ttlMs": 0, "cacheScope": "private"}


async def test_a_cursor_does_not_show_where_it_leads() -> None:
    pages = FakePages({("alpha", None): page_of("a://1", then="inner-secret")})
    assert "inner-secret" not in json.dumps(await Lists(pages).ask())


async def test_pages_without_anything_to_see_are_passed_over() -> None:
    pages = FakePages(
        {("alpha", None): page_of("a://hidden", then="2"), ("alpha", "2"): page_of("a://2")}
    )
    body = await Lists(pages, Sees(("alpha", "a://hidden"))).ask(endpoint=ALPHA)
    assert [one["uri"] for one in body["resources"]] == ["a://2"]


async def test_who_sees_nothing_in_many_pages_gets_an_empty_one_and_a_cursor() -> None:
    pages = FakePages({("alpha", None): page_of(then="0")})
    pages.pages |= {("alpha", str(one)): page_of(then=str(one + 1)) for one in range(20)}
    body = await Lists(pages).ask()
    assert body["resources"] == []
    assert "nextCursor" in body
    assert len(pages.asked) == 10


async def test_a_uri_that_two_servers_list_is_the_first_one_s() -> None:
    pages = FakePages(
        {("alpha", None): page_of("s://x"), ("beta", None): page_of("s://x", "b://1")}
    )
    assert await Lists(pages).all() == ["s://x", "b://1"]


async def test_who_does_not_see_the_first_one_s_sees_the_other() -> None:
    pages = FakePages({("alpha", None): page_of("s://x"), ("beta", None): page_of("s://x")})
    assert await Lists(pages, Sees(("alpha", "s://x"))).all() == ["s://x"]


async def test_a_dead_server_is_named_and_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_PATIENCE_SECONDS", 1.5)
    pages = FakePages({("alpha", None): TIMEOUT, ("beta", None): page_of("b://1", ttl_ms=9)})
    began = time.monotonic()
    body = await Lists(pages).ask()
    assert [one["uri"] for one in body["resources"]] == ["b://1"]
    assert body["_meta"] == {MISSING_META: ["alpha"]}
    assert (body["ttlMs"], body["cacheScope"]) == (0, "private")
    assert all(began < deadline < began + 4 for deadline in pages.deadlines)


async def test_a_dead_server_that_is_alone_is_an_error() -> None:
    with pytest.raises(UpstreamTimeout):
        await Lists(FakePages({("alpha", None): TIMEOUT})).ask(endpoint=ALPHA)


@pytest.mark.parametrize(("one_caller", "scope"), [(True, "public"), (False, "private")])
async def test_a_list_is_public_only_where_all_see_the_same(one_caller: bool, scope: str) -> None:
    pages = FakePages({("alpha", None): page_of("a://1", ttl_ms=5, public=True)})
    body = await Lists(pages, one_caller=one_caller).ask(endpoint=ALPHA)
    assert (body["ttlMs"], body["cacheScope"]) == (5, scope)


async def test_pages_are_kept_for_one_caller_each() -> None:
    pages = FakePages()
    for subject in ("ann", "bob"):
        await Lists(pages).ask(subject=subject, endpoint=ALPHA)
    assert len(set(pages.scopes)) == 2


async def test_a_cursor_is_good_for_its_owner_its_list_and_its_time_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lists = Lists(FakePages({("alpha", None): page_of("a://1", then="2")}))
    cursor = (await lists.ask())["nextCursor"]
    assert await lists.ask(cursor)
    wrong: list[dict[str, Any]] = [
        {"cursor": cursor[:-1]},
        {"cursor": "junk"},
        {"cursor": cursor, "subject": "bob"},
        {"cursor": cursor, "endpoint": ALPHA},
    ]
    for one in wrong:
        with pytest.raises(InvalidValue, match="start again without one"):
            await lists.ask(**one)
    later = time.time() + 3601
    monkeypatch.setattr(room.time, "time", lambda: later)
    with pytest.raises(InvalidValue, match="too old"):
        await lists.ask(cursor)


async def test_a_cursor_to_a_server_that_was_removed_says_to_start_again() -> None:
    lists = Lists(FakePages({("alpha", None): page_of("a://1", then="2")}))
    cursor = (await lists.ask())["nextCursor"]
    lists.view = make_view(make_inventory("beta"))
    with pytest.raises(InvalidValue, match="start again"):
        await lists.ask(cursor)


async def test_a_server_s_endless_cursor_is_its_failure() -> None:
    pages = FakePages({("alpha", None): page_of("a://1", then="x" * 9000)})
    with pytest.raises(UpstreamFailed, match="cursor is too long"):
        await Lists(pages).ask()


@pytest.mark.parametrize(
    "view", [make_view(make_inventory(capabilities=b'{"prompts":{}}')), make_view(rest=["dealers"])]
)
async def test_where_no_server_has_resources_the_method_is_unknown(view: TenantView) -> None:
    with pytest.raises(NotServed):
        await Lists(FakePages(), view=view).ask()


async def test_a_server_that_said_nothing_yet_is_asked() -> None:
    lists = Lists(
        FakePages({("alpha", None): page_of("a://1")}), view=make_view(upstreams=["alpha"])
    )
    assert await lists.all() == ["a://1"]


async def test_a_list_for_nobody_is_a_mistake() -> None:
    pages = FakePages()
    listing = ListResources(pages, Sees(), Owners(pages), Seals([b"k" * 32]), one_caller=False)
    with pytest.raises(RuntimeError, match="needs a principal"):
        await listing.execute(Call(Method.RESOURCES_LIST, "c-1"))
