from itertools import pairwise

from hypothesis import given
from hypothesis.strategies import lists, sampled_from

from bascule.chat.connectors.exchanges import exchanges
from bascule.chat.models import Answered, Returned, Said

ENTRIES = [Said("a"), Answered("b"), Returned("1", "t", "c")]


@given(lists(sampled_from(ENTRIES), max_size=12))
def test_they_take_turns_and_nothing_is_lost(entries):
    groups = list(exchanges(entries))

    roles = [role for role, _ in groups]
    assert all(first != second for first, second in pairwise(roles))
    assert [one for _, group in groups for one in group] == entries
    assert all(
        isinstance(one, Answered) == (role == "assistant")
        for role, group in groups
        for one in group
    )
