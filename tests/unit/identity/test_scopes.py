from dataclasses import replace

from bascule.gateway.builtin import SEARCH_TOOLS
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Evidence, Means, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import PASS, Refuse
from bascule.identity.scopes import Scopes

ISSUER = Issuer(
    "id", "https://id.example", "acme", scopes={"see": ("tools:list",), "use": ("tools:execute",)}
)
SNAPSHOT = Snapshot(1, issuers={ISSUER.issuer: ISSUER})
EVIDENCE = Evidence(Means.TOKEN, "acme", ISSUER.issuer, "0815", "ann@id")
READER = Principal(
    "acme", "ann", frozenset({"user"}), frozenset({"tools:list"}),
    withheld=frozenset({"tools:execute"}), evidence=EVIDENCE,
)  # fmt: skip
BY_KEY = replace(READER, evidence=None, key_id="k1")


async def judge(principal: Principal | None, method: Method, **members: object) -> object:
    call = Call(method, "c-1", principal=principal, snapshot=SNAPSHOT)
    for name, value in members.items():
        setattr(call, name, value)
    return await Scopes().inbound(call)


async def test_a_token_with_too_small_a_scope_hears_of_all_that_the_call_takes() -> None:
    refusal = await judge(READER, Method.TOOLS_CALL)
    assert isinstance(refusal, Refuse)
    assert refusal.error is ErrorCode.INSUFFICIENT_SCOPE
    assert refusal.details == {"permissions": ["tools:execute"], "scopes": ["see", "use"]}
    assert "see use" in refusal.public
    assert "ann" not in refusal.public
    assert "ann" in refusal.private


async def test_what_the_token_is_good_for_is_let_pass() -> None:
    for method in (Method.TOOLS_LIST, Method.INITIALIZE, Method.PING, Method.NOTIFICATION):
        assert await judge(READER, method) is PASS


async def test_who_is_limited_in_nothing_is_not_asked_twice() -> None:
    assert await judge(replace(READER, withheld=frozenset()), Method.TOOLS_CALL) is PASS
    assert await judge(None, Method.TOOLS_CALL) is PASS


async def test_a_key_that_is_limited_is_told_without_a_word_of_scopes() -> None:
    refusal = await judge(BY_KEY, Method.TOOLS_CALL)
    assert isinstance(refusal, Refuse)
    assert refusal.error is ErrorCode.INSUFFICIENT_SCOPE
    assert refusal.details == {"permissions": ["tools:execute"]}
    assert "token" not in refusal.public


async def test_an_issuer_without_a_scope_for_it_has_nothing_to_be_asked_for() -> None:
    gone = replace(READER, evidence=replace(EVIDENCE, issuer="https://gone.example"))
    refusal = await judge(gone, Method.TOOLS_CALL)
    assert isinstance(refusal, Refuse)
    assert refusal.details == {"permissions": ["tools:execute"]}


async def test_searching_for_tools_takes_no_more_than_listing_them() -> None:
    assert await judge(READER, Method.TOOLS_CALL, tool_name=SEARCH_TOOLS) is PASS
    elsewhere = Endpoint(EndpointKind.SERVER, "notes")
    refusal = await judge(READER, Method.TOOLS_CALL, tool_name=SEARCH_TOOLS, endpoint=elsewhere)
    assert isinstance(refusal, Refuse)
