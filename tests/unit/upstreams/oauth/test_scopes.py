"""As few scopes as will do, and none lost that were asked for before."""

from bascule.upstreams.oauth.challenges import Demand
from bascule.upstreams.oauth.metadata import ResourceMetadata, ServerMetadata
from bascule.upstreams.oauth.scopes import choose_scopes

BARE = ServerMetadata("https://a")
OFFLINE = ServerMetadata("https://a", scopes_supported=("read", "offline_access"))


def resource(*scopes: str) -> ResourceMetadata:
    return ResourceMetadata("https://h", ("https://a",), scopes or None)


def test_the_challenge_comes_before_what_the_resource_names() -> None:
    assert choose_scopes(Demand(scopes=("now",)), resource("all"), BARE, ("mine",)) == ("now",)


def test_the_resource_comes_before_what_is_configured() -> None:
    assert choose_scopes(Demand(), resource("all"), BARE, ("mine",)) == ("all",)
    assert choose_scopes(Demand(), resource(), BARE, ("mine",)) == ("mine",)


def test_where_nobody_names_any_none_are_asked_for() -> None:
    assert choose_scopes(Demand(), resource(), BARE) == ()


def test_what_was_asked_for_before_is_asked_for_again() -> None:
    chosen = choose_scopes(Demand(scopes=("write",)), resource(), BARE, (), ("read", "write"))

    assert chosen == ("read", "write")


def test_a_refresh_token_is_asked_for_only_where_the_server_knows_how() -> None:
    assert choose_scopes(Demand(), resource(), OFFLINE) == ("offline_access",)
    assert choose_scopes(Demand(scopes=("read", "offline_access")), resource(), BARE) == ("read",)


def test_what_a_resource_names_and_is_no_scope_is_left_out() -> None:
    assert choose_scopes(Demand(), resource('a"b', "ok"), BARE) == ("ok",)
