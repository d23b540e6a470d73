from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.call import Method
from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Principal
from bascule.gateway.scopes import (
    BASIC,
    basic_scopes,
    is_withheld,
    issuers_at,
    needed_for,
    scopes_at,
    scopes_for,
)
from bascule.gateway.snapshot import Snapshot

LIST, EXECUTE = frozenset({"tools:list"}), frozenset({"tools:execute"})


def issuer(name: str = "id", tenant: str = "acme", **scopes: tuple[str, ...]) -> Issuer:
    return Issuer(name, f"https://{name}.example", tenant, scopes=scopes)


def principal(permissions: set[str], withheld: set[str]) -> Principal:
    return Principal(
        "acme", "ann", frozenset(), frozenset(permissions), withheld=frozenset(withheld)
    )


def test_every_method_needs_what_it_does_with_tools_and_handshakes_need_nothing() -> None:
    assert needed_for(Method.TOOLS_LIST) == LIST
    assert needed_for(Method.PROMPTS_LIST) == LIST
    assert needed_for(Method.TOOLS_CALL) == needed_for(Method.TASKS_GET) == BASIC
    assert needed_for(Method.RESOURCES_READ) == needed_for(Method.COMPLETE) == EXECUTE
    for method in (Method.PING, Method.INITIALIZE, Method.DISCOVER, Method.MALFORMED):
        assert needed_for(method) == frozenset()


def test_only_what_another_credential_would_bring_counts_as_withheld() -> None:
    assert is_withheld(principal({"tools:list"}, {"tools:execute"}), BASIC)
    assert is_withheld(principal(set(), {"tools:list", "tools:execute"}), BASIC)
    assert not is_withheld(principal({"tools:list", "tools:execute"}, {"audit:read"}), BASIC)
    # The person lacks one of them in any case.
    assert not is_withheld(principal(set(), {"tools:list"}), BASIC)
    # A system administrator may do all that is named nowhere.
    assert not is_withheld(principal({"system_admin"}, {"tools:list"}), LIST)


def test_the_narrowest_scopes_are_asked_for() -> None:
    broad = ("tools:list", "tools:execute", "users:manage")
    several = issuer(everything=broad, see=("tools:list",), use=("tools:execute",))
    assert scopes_for(several, LIST) == ("see",)
    assert scopes_for(several, BASIC) == ("see", "use")
    assert scopes_for(several, frozenset({"users:manage"})) == ("everything",)
    # One scope for two permissions is better than two for the same.
    assert scopes_for(issuer(see=("tools:list",), use=tuple(BASIC)), BASIC) == ("use",)


def test_nothing_is_asked_for_where_nothing_brings_it() -> None:
    assert scopes_for(issuer(), LIST) == ()
    assert scopes_for(issuer(see=("tools:list",)), BASIC) == ()
    assert scopes_for(issuer(see=("tools:list",)), frozenset()) == ()


def test_what_is_no_scope_or_one_for_everything_is_never_asked_for() -> None:
    for name in ("tools:*", "*", "a b", 'a"b', "a\\b", "", "é", "offline_access", "a\r\nb"):
        only = Issuer("id", "https://id.example", "acme", scopes={name: ("tools:list",)})
        assert scopes_for(only, LIST) == ()
        assert basic_scopes([only]) == ()


def test_issuers_who_call_it_differently_are_asked_for_nothing() -> None:
    one, same = issuer(see=("tools:list",)), issuer("b", see=("tools:list",))
    other = issuer("c", view=("tools:list",))
    assert scopes_at([one], LIST) == scopes_at([one, same], LIST) == ("see",)
    assert scopes_at([one, other], LIST) == scopes_at([], LIST) == ()


def test_the_basic_scopes_are_those_of_every_issuer_as_far_as_they_go() -> None:
    partly = issuer("b", view=("tools:list",), audit=("audit:read",))
    whole = issuer(see=("tools:list",), use=("tools:execute",), admin=("users:manage",))
    assert basic_scopes([whole, partly]) == ("see", "use", "view")
    assert basic_scopes([issuer()]) == ()


def test_the_host_of_a_tenant_names_only_who_vouches_for_it() -> None:
    own, foreign = issuer("own"), issuer("foreign", "globex")
    shared = Issuer(
        "shared", "https://shared.example", "globex", tenant_claim="org", tenants={"1": "acme"}
    )
    known = {one.issuer: one for one in (own, foreign, shared)}
    snapshot = Snapshot(1, hosts={"acme.example": "acme"}, issuers=known)
    assert issuers_at(snapshot, "acme.example") == [own, shared]
    assert issuers_at(snapshot, "gateway.example") == [own, foreign, shared]


PERMISSIONS = st.sampled_from(["tools:list", "tools:execute", "audit:read", "users:manage"])
SCOPES = st.dictionaries(
    st.text("abcde", min_size=1, max_size=3), st.lists(PERMISSIONS, max_size=4).map(tuple)
)


@given(SCOPES, st.frozensets(PERMISSIONS))
def test_the_scopes_asked_for_bring_all_that_is_wanted_or_are_none(
    scopes: dict[str, tuple[str, ...]], wanted: frozenset[str]
) -> None:
    found = scopes_for(issuer(**scopes), wanted)
    brought = frozenset[str]().union(*(scopes[one] for one in found))
    available = frozenset[str]().union(*scopes.values())
    assert wanted <= brought if found else (not wanted or not wanted <= available)
    for permissions in scopes.values():
        if wanted and wanted <= frozenset(permissions):
            assert len(brought) <= len(frozenset(permissions))
