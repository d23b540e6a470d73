"""MCP servers behind a gateway, as a snapshot has them, for tests of what is passed on."""

from collections.abc import Iterable, Mapping

import msgspec

from bascule.catalogue.pages import ListedResource, ResourcePage
from bascule.gateway.errors import GatewayError
from bascule.gateway.inventory import Inventory, Listed
from bascule.gateway.rule import Rule
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import McpSource, RiskLevel, Tool, Upstream, UpstreamKind
from bascule.protocol.versions import Era
from fakes.catalogue import TENANT, allow_everything

OFFERS = b'{"tools":{},"prompts":{},"resources":{},"completions":{}}'


def make_relayed(
    name: str = "search", upstream: str = "alpha", *, front: str = "", extra: str = ""
) -> Tool:
    """A tool of an MCP server; `front` is the name it is listed by, where it is another."""
    own = f'{{"name":"{name}", "inputSchema":{{"type":"object"}}{extra}}}'.encode()
    listed = own.replace(name.encode(), front.encode(), 1) if front else own
    return Tool(
        name=front or name,
        description="",
        bundle=upstream,
        source=McpSource(upstream, name),
        input_schema={"type": "object"},
        risk=RiskLevel.WRITE,
        definition=listed,
        own_definition=own if front else b"",
    )


def make_prompt(
    inner: str = "greet", upstream: str = "alpha", *, front: str = "", definition: bytes = b""
) -> Listed:
    """A prompt of an MCP server."""
    own = definition or f'{{"name":"{inner}"}}'.encode()
    listed = f'{{"name":"{front}"}}'.encode() if front else own
    name = front or inner
    return Listed(name, upstream, upstream, inner, listed, own_definition=own if front else b"")


def make_template(template: str, upstream: str = "alpha") -> Listed:
    """A resource template of an MCP server."""
    definition = msgspec.json.encode({"uriTemplate": template})
    return Listed(template, upstream, upstream, template, definition)


def make_inventory(
    upstream: str = "alpha",
    *,
    prompts: Iterable[Listed] = (),
    templates: Iterable[Listed] = (),
    capabilities: bytes = OFFERS,
    instructions: str = "",
) -> Inventory:
    """What a modern server offers."""
    named = {one.name: one for one in prompts}
    return Inventory(upstream, Era.MODERN, capabilities, instructions, named, tuple(templates))


def make_view(
    *inventories: Inventory,
    tools: Iterable[Tool] = (),
    upstreams: Iterable[str] = (),
    rest: Iterable[str] = (),
    rules: Iterable[Rule] | None = None,
) -> TenantView:
    """A tenant with MCP servers: those of `inventories`, and `upstreams` that said nothing yet."""
    names = [*(one.upstream for one in inventories), *upstreams]
    servers = {name: Upstream(name, UpstreamKind.MCP_HTTP) for name in names}
    others = {name: Upstream(name, UpstreamKind.REST) for name in rest}
    return TenantView(
        TENANT,
        tools={tool.name: tool for tool in tools},
        upstreams={**servers, **others},
        rules=(allow_everything(),) if rules is None else tuple(rules),
        inventories={one.upstream: one for one in inventories},
    )


def snapshot_of(view: TenantView) -> Snapshot:
    """A snapshot of one tenant."""
    return Snapshot(3, {view.tenant: view})


class FakePages:
    """Pages by (server, cursor); an error is raised in place of a page."""

    def __init__(
        self, pages: Mapping[tuple[str, str | None], ResourcePage | GatewayError] | None = None
    ) -> None:
        self.pages = dict(pages or {})
        self.asked: list[tuple[str, str | None]] = []
        self.scopes: list[str] = []
        self.deadlines: list[float] = []

    async def page(
        self, tenant: str, upstream: str, cursor: str | None, *, scope: str, deadline: float
    ) -> ResourcePage:
        """Note the question, and answer it."""
        assert tenant == TENANT
        self.asked.append((upstream, cursor))
        self.scopes.append(scope)
        self.deadlines.append(deadline)
        found = self.pages.get((upstream, cursor), ResourcePage(()))
        if isinstance(found, GatewayError):
            raise found
        return found


def page_of(*uris: str, then: str | None = None, ttl_ms: int = 0, public: bool = False):
    """A page that lists `uris`."""
    listed = tuple(ListedResource(uri, f'{{"uri":"{uri}"}}'.encode()) for uri in uris)
    return ResourcePage(listed, then, ttl_ms, public)
