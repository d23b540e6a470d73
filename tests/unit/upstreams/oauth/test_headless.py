"""Redirects are followed to their end, and to nowhere that takes a person."""

from urllib.parse import quote

import pytest

from bascule.upstreams.oauth.failures import AuthorizationFailed
from bascule.upstreams.oauth.headless import HeadlessConsent
from bascule.upstreams.oauth.ports import Callback, Pending
from fakes.authorization import Said
from fakes.ways import BACK, World


def pending(url: str) -> Pending:
    return Pending(
        "state", url, "t", "", "s", "https://a", "https://h", "https://a/t", BACK, "v", "c"
    )


def leading(location: str) -> Said:
    return Said(302, b"", [("location", location)])


async def test_redirects_are_followed_up_to_the_answer(world: World) -> None:
    answer = f"{BACK}?state=state&code=c&iss={quote('https://a')}"
    world.server.overrides["/first"] = leading(f"{world.service.url}/second")
    world.service.overrides["/second"] = leading(answer)
    consent = HeadlessConsent(world.client, BACK)

    found = await consent.ask(pending(f"{world.server.url}/first"))

    assert found == Callback("state", "c", "https://a")
    assert consent.redirect_uri == BACK


@pytest.mark.parametrize(
    "said",
    [
        Said(200, b"<form>"),
        Said(302),
        Said(403),
        leading("javascript:alert(1)"),
        leading("http://elsewhere.example/"),
        leading(f"{BACK}?code=c"),
    ],
)
async def test_what_takes_a_person_ends_it(world: World, said: Said) -> None:
    world.server.overrides["/first"] = said

    with pytest.raises(AuthorizationFailed):
        await HeadlessConsent(world.client, BACK).ask(pending(f"{world.server.url}/first"))


async def test_redirects_without_end_end(world: World) -> None:
    world.server.overrides["/first"] = leading(f"{world.service.url}/second")
    world.service.overrides["/second"] = leading(f"{world.server.url}/first")

    with pytest.raises(AuthorizationFailed):
        await HeadlessConsent(world.client, BACK).ask(pending(f"{world.server.url}/first"))

    assert len(world.server.asked) + len(world.service.asked) == 10
