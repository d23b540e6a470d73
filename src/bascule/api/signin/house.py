"""All of signing in, put together, and where endpoints find it."""

from dataclasses import dataclass

from starlette.requests import Request

from bascule.api.signin.browsers import Browsers
from bascule.api.signin.cookies import Cookies, Ticket, parse_ticket
from bascule.api.signin.desk import Desk
from bascule.api.signin.entries import Entries
from bascule.api.signin.providers import Providers
from bascule.api.signin.setup import SetupLinks
from bascule.gateway.snapshot import Snapshot
from bascule.storage.seed import DEFAULT_TENANT


@dataclass(frozen=True, slots=True)
class SignIn:
    """Everything that pages and endpoints for people's sign-in work with."""

    entries: Entries
    desk: Desk
    setup: SetupLinks
    providers: Providers

    @property
    def browsers(self) -> Browsers:
        """Who is signed in."""
        return self.entries.browsers

    @property
    def cookies(self) -> Cookies:
        """The cookies of all this."""
        return self.entries.browsers.cookies

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot in force."""
        return self.entries.control.snapshot()

    def base_url(self, request: Request) -> str:
        """Where people come back to: the public address, unless the host is one tenant's own."""
        if self.cookies.public_url and host_of(request) not in self.snapshot.hosts:
            return self.cookies.public_url
        return self.cookies.base_url(request)

    def tenant_of(self, request: Request, wanted: str = "") -> str:
        """Whose people sign in here: the host's, else those of the tenant that is named."""
        return self.snapshot.hosts.get(host_of(request)) or wanted or DEFAULT_TENANT

    def old_ticket(self, request: Request) -> Ticket | None:
        """What the browser has from before."""
        return parse_ticket(self.cookies.read(request))


def host_of(request: Request) -> str:
    """The name that `request` was sent to, in lower case and without a port."""
    return (request.url.hostname or "").lower()


def sign_in_of(request: Request) -> SignIn:
    """What `request` signs in with."""
    found: SignIn = request.app.state.sign_in
    return found
