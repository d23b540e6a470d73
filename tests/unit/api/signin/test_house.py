"""Where people come back to, and whose people sign in under which host."""

from starlette.requests import Request

from bascule.api.signin.cookies import Cookies, new_ticket
from bascule.storage.repositories.tenants import TenantChanges, Tenants
from unit.api.lobby import open_lobby
from unit.api.site import Site


def request(host: str, cookie: str = "") -> Request:
    headers = [(b"host", host.encode()), (b"cookie", cookie.encode())]
    return Request({"type": "http", "scheme": "http", "path": "/", "headers": headers})


async def test_people_come_back_to_the_public_address_but_for_those_of_a_tenants_host(
    site: Site,
) -> None:
    async with site.rows() as (session, _):
        await Tenants(session).update("acme", TenantChanges(hosts=("acme.example.com",)))
    async with open_lobby(site, cookies=Cookies("https://gw.example.com")) as lobby:
        assert lobby.sign_in.base_url(request("127.0.0.1:8000")) == "https://gw.example.com"
        theirs = request("acme.example.com")
        assert lobby.sign_in.base_url(theirs) == "https://acme.example.com"
        assert lobby.sign_in.tenant_of(theirs, "default") == "acme"
    async with open_lobby(site) as lobby:
        here = request("127.0.0.1:8000")
        assert lobby.sign_in.base_url(here) == "http://127.0.0.1:8000"
        assert lobby.sign_in.tenant_of(here) == "default"
        assert lobby.sign_in.tenant_of(here, "acme") == "acme"


async def test_a_browser_brings_what_it_has_from_before(site: Site) -> None:
    ticket = new_ticket("default")
    async with open_lobby(site) as lobby:
        brought = request("127.0.0.1", f"bascule={ticket.text}")
        assert lobby.sign_in.old_ticket(brought) == ticket
        assert lobby.sign_in.old_ticket(request("127.0.0.1", "bascule=x")) is None
