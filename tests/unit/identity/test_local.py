from bascule.gateway.call import Call, Method
from bascule.gateway.stage import FailureMode
from bascule.gateway.verdict import PASS
from bascule.identity.local import AuthenticateLocal
from fakes.catalogue import make_principal


async def test_whoever_comes_is_the_local_principal_and_their_credential_is_dropped() -> None:
    local = make_principal("local")
    call = Call(Method.TOOLS_CALL, "c-1", credential="bsc_secret")
    assert await AuthenticateLocal(local).inbound(call) is PASS
    assert call.principal is local
    assert call.credential is None


def test_a_stage_that_breaks_refuses() -> None:
    assert AuthenticateLocal.on_failure is FailureMode.CLOSED
