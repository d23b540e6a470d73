import asyncio

import pytest

from bascule.catalogue import owners as room
from bascule.catalogue.owners import Owners
from bascule.catalogue.pages import ResourcePage
from bascule.gateway.errors import UpstreamTimeout
from fakes.catalogue import TENANT
from fakes.relayed import FakePages, page_of

BOTH = ("alpha", "beta")


async def test_what_went_by_in_a_list_is_remembered_without_a_look() -> None:
    pages = FakePages()
    owners = Owners(pages)
    owners.note(TENANT, "beta", ["a://1"])
    owners.note(TENANT, "alpha", ["a://1"])
    assert await owners.find(TENANT, BOTH, "a://1") == BOTH
    assert owners.known(TENANT, ("beta",), "a://1") == ("beta",)
    assert owners.known("other", BOTH, "a://1") == ()
    assert pages.asked == []


async def test_an_unknown_uri_is_looked_for_in_every_list_to_its_end() -> None:
    pages = FakePages(
        {
            ("alpha", None): page_of("a://1", then=""),
            ("alpha", ""): page_of("a://2"),
            ("beta", None): page_of("b://1"),
        }
    )
    owners = Owners(pages)
    assert await owners.find(TENANT, BOTH, "a://2") == ("alpha",)
    assert owners.known(TENANT, BOTH, "b://1") == ("beta",)


async def test_an_endless_list_is_left_after_some_pages() -> None:
    endless = {("alpha", None): page_of(then="0")}
    endless |= {("alpha", str(one)): page_of(then=str(one + 1)) for one in range(100)}
    pages = FakePages(endless)
    assert await Owners(pages).find(TENANT, ("alpha",), "a://1") == ()
    assert len(pages.asked) == 10


async def test_a_server_that_does_not_answer_hides_no_other() -> None:
    failure = UpstreamTimeout("no", private="alpha: no")
    pages = FakePages({("alpha", None): failure, ("beta", None): page_of("b://1")})
    assert await Owners(pages).find(TENANT, BOTH, "b://1") == ("beta",)


async def test_a_caller_who_tries_uris_causes_few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_FRESH_SECONDS", 60.0)
    pages = FakePages()
    owners = Owners(pages)
    for number in range(20):
        assert await owners.find(TENANT, BOTH, f"a://{number}") == ()
    assert len(pages.asked) == 2


async def test_all_who_wait_share_one_look() -> None:
    class Slow(FakePages):
        release = asyncio.Event()

        async def page(
            self, tenant: str, upstream: str, cursor: str | None, *, scope: str, deadline: float
        ) -> ResourcePage:
            found = await super().page(tenant, upstream, cursor, scope=scope, deadline=deadline)
            await self.release.wait()
            return found

    pages = Slow({("alpha", None): page_of("a://1")})
    owners = Owners(pages)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        finds = [group.create_task(owners.find(TENANT, ("alpha",), "a://1")) for _ in range(3)]
        while not pages.asked:
            await asyncio.sleep(0)
        pages.release.set()
    assert [one.result() for one in finds] == [("alpha",)] * 3
    assert len(pages.asked) == 1


def test_what_was_not_asked_for_longest_is_forgotten() -> None:
    owners = Owners(FakePages(), most=2)
    owners.note(TENANT, "alpha", ["a://1", "a://2"])
    owners.known(TENANT, BOTH, "a://1")
    owners.note(TENANT, "alpha", ["a://3"])
    found = [owners.known(TENANT, BOTH, f"a://{number}") for number in (1, 2, 3)]
    assert found == [("alpha",), (), ("alpha",)]


async def test_who_listed_a_uri_first_does_not_own_what_a_server_before_it_lists() -> None:
    pages = FakePages({("alpha", None): page_of("a://1"), ("beta", None): page_of("a://1")})
    owners = Owners(pages)
    owners.note(TENANT, "beta", ["a://1", "b://1"])
    assert await owners.find(TENANT, BOTH, "a://1") == BOTH
    assert await owners.find(TENANT, BOTH, "b://1") == ("beta",)
    assert len(pages.asked) == 2


async def test_a_server_with_a_long_list_has_no_other_s_uris_forgotten() -> None:
    owners = Owners(FakePages(), most=2)
    owners.note(TENANT, "alpha", ["a://1"])
    owners.note(TENANT, "beta", [f"b://{number}" for number in range(10)] + ["a://1"])
    assert owners.known(TENANT, BOTH, "a://1") == BOTH
    assert owners.known(TENANT, BOTH, "b://0") == ()
