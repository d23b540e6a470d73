from collections.abc import Sequence

import msgspec
import pytest

from bascule.catalogue.listing import NotServed
from bascule.catalogue.locating import CatalogueLocator
from bascule.catalogue.owners import Owners
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method, More
from bascule.gateway.capabilities import TASKS_EXTENSION, read_capabilities
from bascule.gateway.errors import ErrorCode, StaleHandle
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.seals import Seals
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tasks import TaskHandle, TaskIds
from bascule.gateway.verdict import Refuse
from fakes.catalogue import make_principal
from fakes.relayed import (
    FakePages,
    make_inventory,
    make_prompt,
    make_relayed,
    make_template,
    make_view,
    page_of,
    snapshot_of,
)

ALPHA = Endpoint(EndpointKind.SERVER, "alpha")
VIEW = make_view(
    make_inventory(
        "alpha",
        prompts=[make_prompt("greet", "alpha", front="alpha_greet"), make_prompt("only", "alpha")],
        templates=[make_template("item://{id}", "alpha"), make_template("both://{id}", "alpha")],
    ),
    make_inventory(
        "beta",
        prompts=[make_prompt("greet", "beta", front="beta_greet")],
        templates=[make_template("both://{id}", "beta")],
    ),
)
PAGES = FakePages({("beta", None): page_of("note://b", "item://listed")})


async def locate(
    method: Method,
    *,
    view: TenantView = VIEW,
    endpoint: Endpoint | None = None,
    name: str = "",
    **more: object,
) -> Sequence[Target] | Refuse:
    call = Call(method, "c-1", tool_name=name, endpoint=endpoint or Endpoint())
    call.snapshot = snapshot_of(view)
    call.more = More(**more)  # type: ignore[arg-type]
    return await CatalogueLocator(Owners(PAGES)).locate(call, make_principal())


async def owners_of(uri: str, **members: object) -> list[str]:
    found = await locate(Method.RESOURCES_READ, uri=uri, **members)  # type: ignore[arg-type]
    assert not isinstance(found, Refuse)
    assert {(one.kind, one.name, one.inner) for one in found} <= {(ItemKind.RESOURCE, uri, uri)}
    return [one.upstream for one in found]


async def test_a_listed_uri_is_its_server_s_whatever_templates_say() -> None:
    assert await owners_of("note://b") == ["beta"]
    assert await owners_of("item://listed") == ["beta"]


async def test_a_server_that_has_no_resources_is_not_looked_through() -> None:
    view = make_view(make_inventory("beta", capabilities=b'{"tools":{}}'), upstreams=["silent"])
    assert await owners_of("note://b", view=view) == []
    assert PAGES.asked[-1][0] == "silent"


async def test_an_unlisted_uri_is_found_by_template_first_server_first() -> None:
    assert await owners_of("item://7") == ["alpha"]
    assert await owners_of("both://7") == ["alpha", "beta"]


async def test_a_user_interface_is_found_by_the_tool_that_names_it() -> None:
    """Source: extension io.modelcontextprotocol/ui."""
    tools = [
        make_relayed("a", "alpha", extra=',"_meta":{"ui":{"resourceUri":"ui://a"}}'),
        make_relayed("b", "beta", extra=',"_meta":{"ui/resourceUri":"ui://b"}'),
        make_relayed("c", "beta", extra=',"title":"ui://c"'),
        make_relayed("d", "beta", extra=',"_meta":"ui://d"'),
    ]
    view = make_view(*VIEW.inventories.values(), tools=tools)
    for uri, owners in (
        ("ui://a", ["alpha"]),
        ("ui://b", ["beta"]),
        ("ui://c", []),
        ("ui://d", []),
    ):
        assert await owners_of(uri, view=view) == owners


@pytest.mark.parametrize("uri", ["nope://x", "", "a://" + "x" * 9000])
async def test_any_other_uri_is_nobody_s(uri: str) -> None:
    assert await owners_of(uri) == []


async def test_a_server_that_is_alone_is_asked_for_every_uri() -> None:
    assert await owners_of("nope://x", endpoint=ALPHA) == ["alpha"]
    assert await owners_of("nope://x", view=make_view(upstreams=["alpha"])) == ["alpha"]


async def test_without_servers_there_are_no_resources() -> None:
    assert await owners_of("note://b", view=make_view(rest=["dealers"])) == []


@pytest.mark.parametrize(
    ("endpoint", "name", "inner"),
    [
        (Endpoint(), "alpha_greet", "greet"),
        (Endpoint(), "only", "only"),
        (ALPHA, "greet", "greet"),
        (ALPHA, "only", "only"),
    ],
)
async def test_a_prompt_is_found_by_the_name_its_endpoint_lists(
    endpoint: Endpoint, name: str, inner: str
) -> None:
    (found,) = await located_prompts(name, endpoint)
    assert (found.kind, found.upstream, found.inner) == (ItemKind.PROMPT, "alpha", inner)


@pytest.mark.parametrize(
    ("endpoint", "name"), [(Endpoint(), "greet"), (Endpoint(), "absent"), (ALPHA, "beta_greet")]
)
async def test_a_prompt_of_no_such_name_is_none(endpoint: Endpoint, name: str) -> None:
    assert await located_prompts(name, endpoint) == []


async def located_prompts(name: str, endpoint: Endpoint) -> list[Target]:
    found = await locate(Method.PROMPTS_GET, name=name, endpoint=endpoint)
    assert not isinstance(found, Refuse)
    ref = msgspec.json.encode({"type": "ref/prompt", "name": name})
    assert await locate(Method.COMPLETE, ref=ref, endpoint=endpoint) == found
    return list(found)


@pytest.mark.parametrize(
    ("uri", "kind", "owners"),
    [
        ("both://{id}", ItemKind.TEMPLATE, ["alpha", "beta"]),
        ("note://b", ItemKind.RESOURCE, ["beta"]),
        ("nope://x", ItemKind.RESOURCE, []),
    ],
)
async def test_a_completion_is_about_a_template_or_a_resource(
    uri: str, kind: ItemKind, owners: list[str]
) -> None:
    found = await locate(
        Method.COMPLETE, ref=msgspec.json.encode({"type": "ref/resource", "uri": uri})
    )
    assert not isinstance(found, Refuse)
    assert [(one.kind, one.upstream) for one in found] == [(kind, owner) for owner in owners]


@pytest.mark.parametrize("ref", [None, b"[]", b'{"type":"ref/tool","name":"only"}'])
async def test_a_completion_about_anything_else_is_about_nothing(ref: bytes | None) -> None:
    assert await locate(Method.COMPLETE, ref=ref) == ()


async def test_where_no_server_completes_nothing_the_method_is_unknown() -> None:
    view = make_view(make_inventory(capabilities=b'{"prompts":{}}'))
    with pytest.raises(NotServed):
        await locate(Method.COMPLETE, view=view, ref=b"{}")


def task_call(task_id: str, *, declared: bool = True) -> Call:
    call = Call(Method.TASKS_GET, "c-1", more=More(task_id=task_id))
    call.snapshot = snapshot_of(VIEW)
    if declared:
        call.capabilities = read_capabilities(
            b'{"extensions":{"%b":{}}}' % TASKS_EXTENSION.encode()
        )
    return call


async def test_a_task_is_where_its_id_says_and_named_after_its_tool() -> None:
    ids, ann = TaskIds(Seals([b"k" * 32])), make_principal()
    locator = CatalogueLocator(Owners(PAGES), ids)
    task_id = ids.seal(ann, TaskHandle("alpha", "t-1", "slow"))
    assert await locator.locate(task_call(task_id), ann) == (
        Target(ItemKind.TASK, "alpha", "slow", "alpha", "t-1"),
    )
    with pytest.raises(StaleHandle):
        await locator.locate(task_call(task_id), make_principal("bob"))


@pytest.mark.parametrize(
    ("kind", "name", "served"),
    [
        (EndpointKind.SERVER, "alpha", True),
        (EndpointKind.BUNDLE, "alpha", True),
        (EndpointKind.SERVER, "beta", False),
        (EndpointKind.BUNDLE, "beta", False),
        (EndpointKind.BUNDLE, "nobody", False),
    ],
)
async def test_a_task_is_there_at_endpoints_of_its_server_alone(
    kind: EndpointKind, name: str, served: bool
) -> None:
    ids, ann = TaskIds(Seals([b"k" * 32])), make_principal()
    call = task_call(ids.seal(ann, TaskHandle("alpha", "t-1", "slow")))
    call.endpoint = Endpoint(kind, name)
    found = await CatalogueLocator(Owners(PAGES), ids).locate(call, ann)
    assert bool(found) is served


async def test_a_task_of_a_server_that_is_gone_is_none() -> None:
    ids, ann = TaskIds(Seals([b"k" * 32])), make_principal()
    call = task_call(ids.seal(ann, TaskHandle("gone", "t-1", "slow")))
    assert await CatalogueLocator(Owners(PAGES), ids).locate(call, ann) == ()


async def test_who_declared_no_tasks_is_told_so_before_the_id_is_looked_at() -> None:
    """Source: extension io.modelcontextprotocol/tasks, "Capabilities"."""
    locator = CatalogueLocator(Owners(PAGES), TaskIds(Seals([b"k" * 32])))
    found = await locator.locate(task_call("junk", declared=False), make_principal())
    assert isinstance(found, Refuse)
    assert found.error is ErrorCode.MISSING_CAPABILITY
    assert found.details == {"requiredCapabilities": {"extensions": {TASKS_EXTENSION: {}}}}


async def test_where_no_tasks_are_passed_on_there_are_none() -> None:
    locator = CatalogueLocator(Owners(PAGES))
    assert await locator.locate(task_call("junk"), make_principal()) == ()
    with pytest.raises(RuntimeError, match="no tasks"):
        locator.of_task(make_principal(), "junk")
