"""What is asked on the way to a token is short, bounded, and goes where it may alone."""

import pytest

from bascule.upstreams.oauth import exchange
from bascule.upstreams.oauth.failures import AuthorizationUnavailable
from fakes.authorization import Said
from fakes.ways import World


async def test_a_document_is_fetched_as_nobody(world: World) -> None:
    response = await world.exchange.get(
        f"{world.server.url}/.well-known/oauth-authorization-server"
    )

    assert response.status == 200
    (asked,) = world.server.asked
    assert set(asked.headers) == {"host", "accept"}


async def test_a_form_and_a_registration_are_posted_whole(world: World) -> None:
    world.server.overrides["/token"] = Said(200, b"{}")
    await world.exchange.post_form(
        f"{world.server.url}/token", {"a": "b c&d"}, (("authorization", "Basic x"),)
    )
    await world.exchange.post_json(f"{world.server.url}/register", b"{}")

    form, document = world.server.asked
    assert form.form == {"a": "b c&d"}
    assert form.headers["authorization"] == "Basic x"
    assert document.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/",
        "https://10.0.0.1/",
        "https://[fd00:ec2::254]/",
        "https://0x7f.1/",
    ],
)
async def test_what_an_upstream_names_inside_is_not_reached(world: World, url: str) -> None:
    with pytest.raises(AuthorizationUnavailable):
        await world.exchange.get(url)


async def test_a_redirect_to_another_place_is_an_answer_and_no_more(world: World) -> None:
    away = Said(302, b"", [("location", f"{world.service.url}/mcp")])
    world.server.overrides["/elsewhere"] = away

    response = await world.exchange.get(f"{world.server.url}/elsewhere")

    assert response.status == 302
    assert world.service.asked == []


async def test_an_answer_larger_than_any_honest_one_is_not_read(world: World) -> None:
    world.server.overrides["/large"] = Said(200, b"x" * (exchange.LARGEST_BYTES + 1))
    world.server.overrides["/fits"] = Said(200, b"x" * exchange.LARGEST_BYTES)

    assert len((await world.exchange.get(f"{world.server.url}/fits")).body) > 0
    with pytest.raises(AuthorizationUnavailable):
        await world.exchange.get(f"{world.server.url}/large")
