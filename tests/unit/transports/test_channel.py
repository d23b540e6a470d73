from bascule.gateway.call import EVERYTHING, Call, Endpoint, EndpointKind, Method
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.session import Session, SessionOwner
from bascule.protocol.versions import Era
from bascule.transports.channel import Caller, agreed, join
from fakes.catalogue import make_principal

SESSION = Session("s-1", SessionOwner("acme", "ann"), "2025-06-18")


def test_a_session_holds_what_was_agreed_on_and_by_whom() -> None:
    asked = read_capabilities(b'{"sampling":{}}')
    call = Call(
        Method.INITIALIZE,
        "c-1",
        era=Era.LEGACY,
        version="2025-03-26",
        endpoint=Endpoint(EndpointKind.SERVER, "github"),
        agent="an editor",
        capabilities=asked,
        principal=make_principal("bob"),
    )

    session = agreed(call)

    assert session is not None
    assert session.owner == SessionOwner("acme", "key|bob")
    assert (session.version, session.endpoint, session.agent) == (
        "2025-03-26",
        "server:github",
        "an editor",
    )
    assert session.capabilities is asked
    assert agreed(call).session_id != session.session_id  # type: ignore[union-attr]


def test_nobody_agrees_on_nothing() -> None:
    assert agreed(Call(Method.INITIALIZE, "c-1")) is None


def test_a_call_that_joins_has_the_sessions_version_and_one_that_leaves_keeps_its_own() -> None:
    call = Call(Method.TOOLS_LIST, "c-1")

    join(call, SESSION)
    joined = (call.version, call.more.session)
    join(call, None)

    assert joined == ("2025-06-18", SESSION)
    assert call.more.session is None


def test_a_credential_is_never_shown() -> None:
    assert "secret" not in repr(Caller(EVERYTHING, "peer", "secret"))
