"""Authorizations that wait for people, without an authorization server."""

from bascule.api.consenting import Approved
from bascule.gateway.errors import NotFound
from bascule.upstreams.oauth.ports import Callback, Pending

PUBLIC_URL = "https://tools.example"


def pending_of(owner: str = "key|ann", **changes: object) -> Pending:
    """An authorization of `owner` at the server `notes`."""
    usual: dict[str, object] = {
        "state": "the-state",
        "url": "https://id.example/authorize?client_id=x&state=the-state",
        "tenant": "default",
        "owner": owner,
        "upstream": "notes",
        "issuer": "https://id.example",
        "resource": "https://notes.example/mcp",
        "token_endpoint": "https://id.example/token",
        "redirect_uri": f"{PUBLIC_URL}/oauth/callback",
        "verifier": "the-verifier",
        "client_id": f"{PUBLIC_URL}/oauth/client.json",
        "scopes": ("notes.read", "notes.write"),
    }
    return Pending(**{**usual, **changes})  # type: ignore[arg-type]


class FakeConsents:
    """Keeps everything in memory; `finished` is what was redeemed, `failure` fails that."""

    def __init__(self, public_url: str = PUBLIC_URL) -> None:
        self.public_url = public_url
        self.pages: dict[str, Pending] = {}
        self.begun: dict[str, Approved] = {}
        self.finished: list[tuple[Pending, Callback]] = []
        self.failure: Exception | None = None

    @property
    def client_document(self) -> dict[str, object] | None:
        """Only where the address is https."""
        url = f"{self.public_url}/oauth/client.json"
        return {"client_id": url} if url.startswith("https:") else None

    async def find(self, link: str) -> Pending | None:
        return self.pages.get(link)

    async def approve(self, link: str, approved: Approved) -> bool:
        if self.pages.pop(link, None) is None:
            return False
        self.begun[approved.pending.state] = approved
        return True

    async def decline(self, link: str) -> Pending | None:
        return self.pages.pop(link, None)

    async def take(self, state: str) -> Approved | None:
        return self.begun.pop(state, None)

    async def finish(self, pending: Pending, callback: Callback) -> None:
        if self.failure is not None:
            raise self.failure
        self.finished.append((pending, callback))

    async def connect(self, tenant: str, upstream: str, owner: str) -> str:
        if upstream == "nothing":
            raise NotFound("There is no MCP server named nothing.")
        return f"{self.public_url}/oauth/consent/{tenant}-{upstream}-{owner or 'gateway'}"
