import pytest

from bascule.gateway.call import Call, Method, More, Result
from bascule.gateway.dispatch import ByMethod, ByUpstream, Wellformed
from bascule.gateway.errors import ErrorCode, UnknownMethod, UpstreamUnreachable
from bascule.gateway.session import Session, SessionOwner
from bascule.gateway.stage import FailureMode
from bascule.gateway.verdict import PASS, Refuse
from fakes.catalogue import make_principal, make_tool
from fakes.executor import FakeExecutor


async def test_a_fault_of_the_message_refuses_the_call() -> None:
    fault = Refuse(ErrorCode.MALFORMED_JSON, "No JSON.", "no json")
    assert await Wellformed().inbound(Call(Method.MALFORMED, "c-1", fault=fault)) is fault
    assert Wellformed.on_failure is FailureMode.CLOSED


async def test_a_message_without_fault_passes() -> None:
    assert await Wellformed().inbound(Call(Method.PING, "c-1")) is PASS


async def test_each_method_has_its_own_executor() -> None:
    ping, listing = Result({"ping": 1}), Result({"list": 1})
    executor = ByMethod({Method.PING: FakeExecutor(ping), Method.TOOLS_LIST: FakeExecutor(listing)})
    assert await executor.execute(Call(Method.PING, "c-1")) is ping
    assert await executor.execute(Call(Method.TOOLS_LIST, "c-2")) is listing


async def test_a_method_without_executor_is_unknown() -> None:
    with pytest.raises(UnknownMethod, match="prompts/list"):
        await ByMethod({}).execute(Call(Method.PROMPTS_LIST, "c-1"))


@pytest.mark.parametrize(
    "method", [Method.NOTIFICATION, Method.RESPONSE, Method.STREAM, Method.END]
)
async def test_what_the_transport_does_itself_needs_no_executor(method: Method) -> None:
    assert await ByMethod({}).execute(Call(method, "c-1")) == Result({})


async def test_only_its_owner_uses_a_session() -> None:
    owner = SessionOwner.of(make_principal())
    call = Call(Method.PING, "c-1", more=More(session=Session("s", owner, "2025-11-25")))
    call.principal = make_principal()
    assert await Wellformed().inbound(call) is PASS
    for stranger in (make_principal("bob"), make_principal(tenant="other"), None):
        call.principal = stranger
        verdict = await Wellformed().inbound(call)
        assert isinstance(verdict, Refuse)
        assert verdict.error is ErrorCode.SESSION_UNKNOWN


async def test_a_call_with_more_and_no_session_passes() -> None:
    assert await Wellformed().inbound(Call(Method.PING, "c-1", more=More(uri="a:b"))) is PASS


def tool_call(tenant: str = "acme", upstream: str = "dealers") -> Call:
    call = Call(Method.TOOLS_CALL, "c-1", tool_name="get_slots")
    call.tool = make_tool(upstream=upstream)
    call.principal = make_principal(tenant=tenant)
    return call


async def test_a_tool_call_goes_to_the_upstream_of_its_tool() -> None:
    dealers, other = FakeExecutor(Result({"mine": 1})), FakeExecutor()
    executor = ByUpstream({("acme", "dealers"): dealers, ("acme", "other"): other})
    assert (await executor.execute(tool_call())).body == {"mine": 1}
    assert not other.calls


async def test_an_upstream_of_the_same_name_in_another_tenant_is_never_used() -> None:
    foreign = FakeExecutor()
    executor = ByUpstream({("globex", "dealers"): foreign})
    with pytest.raises(UpstreamUnreachable):
        await executor.execute(tool_call(tenant="acme"))
    assert not foreign.calls


async def test_a_missing_upstream_is_named_to_the_auditor_only() -> None:
    with pytest.raises(UpstreamUnreachable) as caught:
        await ByUpstream({}).execute(tool_call(upstream="internal-billing"))
    assert "internal-billing" not in caught.value.public
    assert "get_slots" in caught.value.public
    assert "internal-billing" in caught.value.private


@pytest.mark.parametrize("missing", ["tool", "principal"])
async def test_a_call_that_skipped_authorisation_is_never_executed(missing: str) -> None:
    call, upstream = tool_call(), FakeExecutor()
    setattr(call, missing, None)
    with pytest.raises(RuntimeError, match="needs a tool and a principal"):
        await ByUpstream({("acme", "dealers"): upstream}).execute(call)
    assert not upstream.calls


async def test_who_would_not_visit_the_page_of_a_challenge_is_refused() -> None:
    declined = b'{"io.bascule/consent":{"action":"decline"}}'
    call = Call(Method.TOOLS_CALL, "c-1", more=More(input_responses=declined))
    verdict = await Wellformed().inbound(call)
    assert isinstance(verdict, Refuse)
    assert verdict.error is ErrorCode.CONSENT_REQUIRED
