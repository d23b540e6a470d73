import pytest

from bascule.gateway.call import Call, Method, More, Result
from bascule.gateway.errors import (
    InvalidValue,
    ResourceNotFound,
    UpstreamFailed,
    UpstreamUnreachable,
)
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.targets import ByTarget
from fakes.catalogue import TENANT, make_principal
from fakes.executor import FakeExecutor

MODERN_UNKNOWN = {"rpc_code": -32602, "rpc_data": {"uri": "note://x", "by": "alpha"}}
NOTE = Target(ItemKind.RESOURCE, "alpha", "note://x", "alpha", "note://x")
UNKNOWN = UpstreamFailed("no", private="alpha: no", details={"rpc_code": -32002})


def read(method: Method = Method.RESOURCES_READ, target: Target | None = NOTE) -> Call:
    call = Call(method, "c-1", principal=make_principal(), more=More(uri="note://x"))
    call.target = target
    return call


async def test_the_upstream_of_the_target_executes_and_no_other() -> None:
    alpha, beta = FakeExecutor(Result({"contents": []})), FakeExecutor()
    by_target = ByTarget({(TENANT, "alpha"): alpha, (TENANT, "beta"): beta})
    assert (await by_target.execute(read())).body == {"contents": []}
    assert (len(alpha.calls), beta.calls) == (1, [])


async def test_another_tenant_s_upstream_of_that_name_is_none() -> None:
    by_target = ByTarget({("other", "alpha"): FakeExecutor()})
    with pytest.raises(UpstreamUnreachable, match="not configured"):
        await by_target.execute(read())


@pytest.mark.parametrize("method", [Method.RESOURCES_READ, Method.SUBSCRIBE, Method.UNSUBSCRIBE])
async def test_what_a_legacy_server_does_not_have_is_not_found(method: Method) -> None:
    """Source: 2025-11-25 server/resources "Error Handling"; 2026-07-28 has no such code."""
    by_target = ByTarget({(TENANT, "alpha"): FakeExecutor(error=UNKNOWN)})
    with pytest.raises(ResourceNotFound) as caught:
        await by_target.execute(read(method))
    assert caught.value.details == {"uri": "note://x"}
    assert caught.value.private == "alpha: no"


@pytest.mark.parametrize(
    ("method", "failure"),
    [
        (Method.PROMPTS_GET, UNKNOWN),
        (Method.RESOURCES_READ, InvalidValue("no", details={"rpc_code": -32602})),
        (Method.RESOURCES_READ, UpstreamFailed("no")),
    ],
)
async def test_any_other_failure_is_the_upstream_s(method: Method, failure: Exception) -> None:
    by_target = ByTarget({(TENANT, "alpha"): FakeExecutor(error=failure)})
    with pytest.raises(type(failure)) as caught:
        await by_target.execute(read(method))
    assert caught.value is failure


async def test_a_call_about_nothing_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="needs a target"):
        await ByTarget({}).execute(read(target=None))


async def test_a_modern_server_s_words_do_not_tell_what_is_hidden_from_what_is_not() -> None:
    """Source: 2026-07-28 server/resources "Error Handling"."""
    failure = InvalidValue("No note here", details=MODERN_UNKNOWN)
    by_target = ByTarget({(TENANT, "alpha"): FakeExecutor(error=failure)})
    with pytest.raises(ResourceNotFound) as raised:
        await by_target.execute(read())
    assert (raised.value.public, raised.value.details) == (
        "Resource not found",
        {"uri": "note://x"},
    )
