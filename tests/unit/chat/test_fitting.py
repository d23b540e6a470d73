"""What does not fit a model is left out from the oldest on, and never half of a pair."""

from hypothesis import given
from hypothesis import strategies as st

from bascule.chat.fitting import LEFT_OUT, fit, size_of
from bascule.chat.models import Answered, Entry, Returned, Said, Wanted
from unit.chat.test_history import is_paired


def exchange(number: int, results: list[int]) -> list[Entry]:
    entries: list[Entry] = [Said(f"Question {number}")]
    for step, size in enumerate(results):
        call_id = f"{number}-{step}"
        entries += [
            Answered("", [Wanted(call_id, "find", {})]),
            Returned(call_id, "find", "x" * size),
        ]
    return entries


conversations = st.lists(st.lists(st.integers(0, 300), max_size=4), min_size=1, max_size=5)


@given(conversations, st.integers(0, 1500))
def test_pairs_are_kept_and_the_last_question_stays(sizes: list[list[int]], most: int) -> None:
    entries = [one for n, each in enumerate(sizes) for one in exchange(n, each)]
    kept = fit(entries, most)
    if kept is None:
        return
    assert sum(map(size_of, kept)) <= most
    assert is_paired(kept)
    assert isinstance(kept[0], Said)
    last = max(index for index, entry in enumerate(entries) if isinstance(entry, Said))
    assert entries[last] in kept
    if isinstance(entries[-1], Returned):
        assert kept[-1] == entries[-1]


def test_the_texts_of_old_results_go_first() -> None:
    entries = exchange(1, [500]) + exchange(2, [500])
    kept = fit(entries, 700)
    assert kept is not None
    assert len(kept) == len(entries)
    assert [entry.text for entry in kept if isinstance(entry, Returned)] == [LEFT_OUT, "x" * 500]


def test_old_exchanges_go_as_a_whole() -> None:
    entries = [*exchange(1, [500]), *exchange(2, [])]
    assert fit(entries, 20) == exchange(2, [])


def test_nothing_is_left_where_the_last_exchange_does_not_fit() -> None:
    assert fit(exchange(1, [500]), 100) is None
