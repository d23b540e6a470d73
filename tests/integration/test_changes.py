"""Changes from a server that is listened to, through rules and looks, to feeds of callers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from bascule.app.background import Background
from bascule.app.changes import Changes, RelayedInventories
from bascule.app.pipeline import Compiled
from bascule.app.rights import EditionRights
from bascule.app.watching import Renewing, Watching, review_feeds
from bascule.catalogue.feeds import Feeds
from bascule.gateway.call import EVERYTHING, Call, Endpoint, EndpointKind, Method, More
from bascule.gateway.errors import ErrorCode, UpstreamUnreachable
from bascule.gateway.feed import Change, ChangeKind, ListenFilter
from bascule.gateway.hub import ChangeHub, OpenFeed
from bascule.gateway.inventory import Inventory, ItemKind, Listed, Target
from bascule.gateway.issuer import CertificateRule, Issuer
from bascule.gateway.principal import Evidence, KeyRecord, Means, Principal
from bascule.gateway.rule import Effect, Rule
from bascule.gateway.sessions import Standings
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Bundle, McpSource, Upstream, UpstreamKind
from bascule.gateway.verdict import Refuse
from bascule.policy.access import Access
from bascule.policy.authorise import Authorise
from bascule.protocol.versions import Era
from bascule.state.memory import MemoryState
from bascule.upstreams.mcp.watching import WatchConfig
from fakes.catalogue import TENANT, allow_everything, make_principal, make_tool
from fakes.feeds import ALL_LISTS, NEWS, FakeRights, FakeWatcher, listen_call, resource
from fakes.listening import FakeListenable

SOON = WatchConfig(first_pause=0.001, longest_pause=0.01, pace=0)
DOCS = Upstream("docs", UpstreamKind.MCP_HTTP, "http://127.0.0.1:1/mcp")


class FakeInventories:
    """Notes what is looked at and when; `fails`, or waits for `go`."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.fails = False
        self.go = asyncio.Event()
        self.go.set()

    async def renew(self, tenant: str, upstream: str, kind: ChangeKind) -> None:
        assert tenant == TENANT
        self.log.append(f"look {upstream} {kind.name}")
        await self.go.wait()
        if self.fails:
            raise UpstreamUnreachable("dead")

    def forget(self, change: Change) -> None:
        self.log.append(f"forget {change.kind.name}")


class NotedHub(ChangeHub):
    def __init__(self, log: list[str]) -> None:
        super().__init__(gather_seconds=0)
        self._log = log
        self.told = asyncio.Event()

    def publish(self, change: Change) -> None:
        self._log.append(f"tell {change.kind.name}")
        self.told.set()
        super().publish(change)


@asynccontextmanager
async def renewing() -> AsyncGenerator[tuple[Renewing, FakeInventories, NotedHub]]:
    inventories = FakeInventories()
    hub = NotedHub(inventories.log)
    async with asyncio.timeout(5), Background() as background:
        yield Renewing(hub, inventories, background, pause_seconds=0), inventories, hub


async def test_a_changed_list_is_looked_at_before_anybody_is_told():
    async with renewing() as (one, inventories, hub):
        inventories.go.clear()
        one.tell((TENANT, "docs"), (ChangeKind.TOOLS, ""), b"{}")
        await asyncio.sleep(0)
        assert inventories.log == ["forget TOOLS", "look docs TOOLS"]
        inventories.go.set()
        await hub.told.wait()

        assert inventories.log == ["forget TOOLS", "look docs TOOLS", "tell TOOLS"]


async def test_a_list_that_cannot_be_looked_at_is_told_to_have_changed_all_the_same():
    async with renewing() as (one, inventories, hub):
        inventories.fails = True
        one.tell((TENANT, "docs"), (ChangeKind.PROMPTS, ""), b"{}")
        await hub.told.wait()

        assert inventories.log[-1] == "tell PROMPTS"


async def test_an_updated_resource_is_told_at_once():
    async with renewing() as (one, inventories, _):
        one.tell((TENANT, "docs"), (ChangeKind.RESOURCE, NEWS), b"{}")

        assert inventories.log == ["forget RESOURCE", "tell RESOURCE"]


async def test_changes_during_a_look_are_looked_at_once_more_and_no_more():
    async with renewing() as (one, inventories, hub):
        inventories.go.clear()
        for _ in range(1000):
            one.tell((TENANT, "docs"), (ChangeKind.TOOLS, ""), b"{}")
            await asyncio.sleep(0)
        inventories.go.set()
        while one._dirty:
            await asyncio.sleep(0)

        assert inventories.log.count("look docs TOOLS") == 2
        assert inventories.log.count("tell TOOLS") == 2
        assert hub.told.is_set()


async def test_a_server_whose_address_changed_is_listened_to_at_the_new_one():
    hub = ChangeHub(gather_seconds=0)
    old, new = FakeListenable(), FakeListenable()
    place = (TENANT, "docs")
    async with asyncio.timeout(5), Background() as background:
        watching = Watching(Renewing(hub, FakeInventories(), background), background, SOON)
        watching.follow({place: old})
        share = watching.want(TENANT, "docs", ListenFilter(resource_subscriptions=(NEWS,)))
        assert share is not None
        await share.granted()
        watching.follow({place: new})
        await new.until(lambda: bool(new.open))

        assert new.open[0].wanted.resource_subscriptions == (NEWS,)
        assert not old.open


async def test_a_server_that_is_gone_is_not_listened_to_and_forgotten_when_nobody_wants_it():
    hub = ChangeHub(gather_seconds=0)
    upstream = FakeListenable()
    place = (TENANT, "docs")
    async with asyncio.timeout(5), Background() as background:
        watching = Watching(Renewing(hub, FakeInventories(), background), background, SOON)
        watching.follow({place: upstream})
        share = watching.want(TENANT, "docs", ALL_LISTS)
        assert share is not None
        await share.granted()
        watching.follow({})
        await upstream.until(lambda: not upstream.open)
        assert len(watching) == 1, "a feed still hopes for it"
        share.release()
        watching.follow({})

        assert len(watching) == 0
        assert watching.want(TENANT, "docs", ALL_LISTS) is None


async def test_every_watch_ends_with_what_owns_it():
    hub = ChangeHub(gather_seconds=0)
    upstream = FakeListenable()
    before = asyncio.all_tasks()
    async with asyncio.timeout(5):
        async with Background() as background:
            watching = Watching(Renewing(hub, FakeInventories(), background), background, SOON)
            watching.follow({(TENANT, str(number)): upstream for number in range(50)})
            await upstream.until(lambda: len(upstream.open) == 50)

    assert upstream.open == []
    assert asyncio.all_tasks() == before


async def test_feeds_are_reviewed_as_time_passes():
    hub, rights = ChangeHub(), FakeRights()
    feeds = Feeds(hub, FakeWatcher())
    feeds.follow(rights, [])
    result = await feeds.execute(listen_call(ALL_LISTS))
    assert result.feed is not None
    async with asyncio.timeout(5), Background() as background:
        background.start(review_feeds(feeds, 0))
        rights.gone.add("ann")

        assert await result.feed.next() is None


class FakeLocator:
    def __init__(self, *targets: Target, refuses: bool = False) -> None:
        self.targets = targets
        self.refuses = refuses
        self.probes: list[Call] = []

    async def locate(self, call: Call, principal: Principal) -> Any:
        del principal
        self.probes.append(call)
        return Refuse(ErrorCode.NOT_FOUND, "no", "no") if self.refuses else self.targets


def listed(name: str) -> Listed:
    return Listed(name, "docs", "docs", name, b'{"name":"%b"}' % name.encode())


def snapshot(*rules: Rule, prompts: tuple[str, ...] = ("greet",)) -> Snapshot:
    inventory = Inventory(
        "docs",
        Era.MODERN,
        b'{"prompts":{"listChanged":true}}',
        prompts={name: listed(name) for name in prompts},
    )
    tool = replace(make_tool("work", bundle="docs"), source=McpSource("docs", "work"))
    view = TenantView(
        TENANT,
        tools={"work": tool},
        bundles={"docs": Bundle("docs")},
        upstreams={"docs": DOCS, "rest": Upstream("rest", UpstreamKind.REST, "http://x")},
        rules=rules or (allow_everything(),),
        inventories={"docs": inventory},
    )
    ann = replace(make_principal(), key_id="key-1")
    return Snapshot(3, {TENANT: view}, {b"digest": KeyRecord("key-1", ann)})


def rights_of(one: Snapshot, locator: FakeLocator | None = None) -> EditionRights:
    access, locator = Access(one), locator or FakeLocator()
    return EditionRights(one, access, Authorise(access, locator), locator)


def test_a_caller_is_who_its_key_says_it_is_now():
    ann = replace(make_principal(), key_id="key-1", agent="a client")
    rights = rights_of(snapshot())

    assert rights.current(ann) == ann
    assert rights.current(replace(ann, roles=frozenset({"boss"}))) == ann
    assert rights.current(replace(ann, key_id="key-2")) is None
    assert rights.current(replace(ann, subject="bob")) is None
    assert rights.current(make_principal("local")) is not None, "nobody without a key is revoked"


def test_an_expired_key_is_nobodys():
    one = snapshot()
    ann = replace(make_principal(), key_id="key-1")
    keys = {b"digest": KeyRecord("key-1", ann, expires_at=1.0)}

    assert rights_of(replace(one, keys=keys)).current(ann) is None


def test_nobody_listens_on_by_an_issuer_or_rule_that_was_taken_away():
    issuer = Issuer("id", "https://id.example", TENANT)
    rule = CertificateRule("agents", TENANT, "URI:spiffe://x/*", ("user",))
    one = replace(snapshot(), issuers={issuer.issuer: issuer}, certificate_rules=(rule,))
    token = Evidence(Means.TOKEN, TENANT, issuer.issuer, "ann", "id:ann", basis=issuer)
    agent = Evidence(Means.CERTIFICATE, TENANT, "certificate", "URI:spiffe://x/a", "x", basis=rule)
    for evidence in (token, agent):
        caller = replace(make_principal(), evidence=evidence)
        assert rights_of(one).current(caller) is not None
        gone = replace(one, issuers={}, certificate_rules=())
        assert rights_of(gone).current(caller) is None


def test_slices_are_served_while_they_are_named():
    rights, ann = rights_of(snapshot()), make_principal()

    assert rights.serves(ann, EVERYTHING)
    assert rights.serves(ann, Endpoint(EndpointKind.BUNDLE, "docs"))
    assert rights.serves(ann, Endpoint(EndpointKind.SERVER, "docs"))
    assert not rights.serves(ann, Endpoint(EndpointKind.BUNDLE, "gone"))
    assert not rights.serves(ann, Endpoint(EndpointKind.SERVER, "gone"))


def test_only_those_upstreams_are_in_sight_of_which_something_is():
    ann = make_principal()
    hidden = Rule("elsewhere", Effect.ALLOW, frozenset({"user"}), bundles=frozenset({"x"}))

    assert rights_of(snapshot()).upstreams(ann, EVERYTHING) == {"docs"}
    assert rights_of(snapshot(hidden)).upstreams(ann, EVERYTHING) == frozenset()


def test_a_fingerprint_changes_with_the_list_that_is_seen():
    ann = make_principal()
    before, after = rights_of(snapshot()), rights_of(snapshot(prompts=("greet", "part")))

    def prints(rights: EditionRights) -> list[int]:
        lists = (ChangeKind.TOOLS, ChangeKind.PROMPTS, ChangeKind.RESOURCES)
        return [rights.visible(ann, EVERYTHING, kind) for kind in lists]

    assert prints(before) == prints(rights_of(snapshot()))
    assert prints(before)[0] == prints(after)[0]
    assert prints(before)[1] != prints(after)[1]
    assert prints(before)[2] == prints(after)[2]


async def test_of_what_a_name_may_mean_the_first_that_may_be_used_is_taken():
    locator = FakeLocator(resource(NEWS, "secret"), resource(NEWS))
    allowed = Rule("docs", Effect.ALLOW, frozenset({"user"}), bundles=frozenset({"docs"}))
    rights = rights_of(snapshot(allowed), locator)

    assert await rights.readable(listen_call(None), NEWS) == resource(NEWS)
    assert (locator.probes[0].method, locator.probes[0].more) == (
        Method.RESOURCES_READ,
        More(uri=NEWS),
    )


async def test_what_is_refused_or_asked_by_nobody_is_nowhere():
    call = listen_call(None)
    assert await rights_of(snapshot(), FakeLocator(refuses=True)).readable(call, NEWS) is None
    assert await rights_of(snapshot(), FakeLocator()).task(call, "mine") is None
    nobody = Call(Method.LISTEN, "c-1")
    assert await rights_of(snapshot(), FakeLocator(resource(NEWS))).readable(nobody, NEWS) is None


def test_what_an_upstream_advertised_is_as_it_was_listed():
    rights = rights_of(snapshot())

    assert rights.advertised(TENANT, "docs") == b'{"prompts":{"listChanged":true}}'
    assert rights.advertised(TENANT, "gone") == b"{}"


class FakeRelay:
    def __init__(self) -> None:
        self.looked: list[str] = []

    async def changed(self, tenant: str, upstream: str) -> None:
        assert tenant == TENANT
        self.looked.append(upstream)


class FakeCache:
    def __init__(self) -> None:
        self.dropped: list[str] = []

    def drop(self, tenant: str, upstream: str) -> None:
        assert tenant == TENANT
        self.dropped.append(upstream)


async def test_answers_are_dropped_once_for_all_that_changed_at_one_time():
    cache, inventories = FakeCache(), RelayedInventories()
    await inventories.renew(TENANT, "docs", ChangeKind.TOOLS)
    inventories.attach(FakeRelay(), [cache])
    for number in range(1000):
        inventories.forget(Change(TENANT, "docs", ChangeKind.RESOURCE, str(number)))
    inventories.forget(Change(TENANT, "docs", ChangeKind.TOOLS))
    await asyncio.sleep(0)

    assert cache.dropped == ["docs"]


class FakeConnections:
    def __init__(self) -> None:
        self.channel = FakeListenable()
        self.is_broken = False

    def relay(self, tenant: str, upstream: Upstream) -> Any:
        assert (tenant, upstream) == (TENANT, DOCS)
        if self.is_broken:
            raise ValueError("no such URL")
        return SimpleNamespace(channel=self.channel)


def compiled(one: Snapshot) -> Compiled:
    nothing: Any = None
    return Compiled(one, nothing, nothing, Access(one))


async def test_a_change_at_a_server_reaches_a_caller_in_its_own_terms():
    connections, relay, cache = FakeConnections(), FakeRelay(), FakeCache()
    task = Target(ItemKind.TASK, "docs", "work", "docs", "t-1")
    ann = replace(make_principal(), key_id="key-1")
    async with asyncio.timeout(5), Background() as background:
        changes = Changes(connections, background, Standings(MemoryState(), 60))
        changes.attach(relay, [cache])
        changes.follow(compiled(snapshot()), FakeLocator(task))
        wanted = ListenFilter(prompts_list_changed=True, task_ids=("mine",))
        call = listen_call(wanted, principal=ann)
        call.capabilities = type(call.capabilities)(tasks=True)
        result = await changes.executors[Method.LISTEN].execute(call)
        feed = result.feed
        assert isinstance(feed, OpenFeed)
        assert feed.granted == wanted

        stream = connections.channel.open[0]
        stream.tell("notifications/prompts/list_changed")
        first = await feed.next()
        stream.tell("notifications/tasks", b'{"taskId":"t-1","status":"working"}')
        second = await feed.next()

        assert first is not None
        assert first.method == "notifications/prompts/list_changed"
        assert relay.looked == ["docs"]
        assert second is not None
        assert second.params == b'{"taskId":"mine","status":"working"}'

        changes.follow(compiled(replace(snapshot(), keys={})), FakeLocator())
        assert await feed.next() is None, "the caller's key is gone"


async def test_feeds_end_with_the_process():
    connections = FakeConnections()
    connections.is_broken = True
    async with asyncio.timeout(5), Background() as background:
        changes = Changes(connections, background, Standings(MemoryState(), 60))
        changes.follow(compiled(snapshot()), FakeLocator())
        ann = replace(make_principal(), key_id="key-1")
        call = listen_call(ALL_LISTS, principal=ann)
        result = await changes.executors[Method.LISTEN].execute(call)
        assert result.feed is not None
        changes.end()

        assert await result.feed.next() is None
