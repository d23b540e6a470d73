"""No member of an object passes for an argument of its own."""

import pytest

from bascule.upstreams.rest.clashes import NOBODYS, names_taken, refuse_taken
from bascule.upstreams.rest.values import Unwritable


def test_what_others_are_called_is_taken_and_ones_own_name_is_not() -> None:
    assert names_taken(["filter", "Tenant", "tags[]"], "filter") == {"tenant", "tags"}
    assert names_taken(["filter"], "filter") == NOBODYS
    assert names_taken(["filter", "filter[tenant]"], "filter") == {"filter[tenant]"}


@pytest.mark.parametrize(
    "member", ["tenant", "TENANT", "tenant[]", "tenant[a][b]", "filter[tenant]", "Filter[tenant][]"]
)
def test_a_member_that_may_be_read_as_another_argument_is_refused(member: str) -> None:
    with pytest.raises(Unwritable, match="an argument of its own"):
        refuse_taken(["colour", member], frozenset({"tenant", "filter[tenant]"}))


@pytest.mark.parametrize("member", ["tenants", "my[tenant]", "", "[tenant]", "filter", "filter[x]"])
def test_any_other_member_passes(member: str) -> None:
    refuse_taken([member], frozenset({"tenant", "filter[tenant]"}))
