from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.call import Result
from bascule.traffic.answers import Answers, Key, Space
from fakes.traffic import Clock, make_rest

TOOL = make_rest(cache_seconds=60.0)
SPACE = Space()


def key(arguments: bytes = b"{}", space: Space = SPACE) -> Key:
    return Key(space, space.epoch, "shop", "find", "1.0.0", "", arguments)


def said(text: str = "x") -> Result:
    return Result({"content": text})


def test_an_answer_is_found_for_as_long_as_the_tool_says() -> None:
    clock = Clock()
    answers = Answers(now=clock.now)
    answers.keep(key(), TOOL, said())
    clock.seconds += 59
    found = answers.find(key(), TOOL)
    assert found is not None
    assert (found.result, found.age_seconds) == (said(), 59)
    clock.seconds += 1
    assert answers.find(key(), TOOL) is None
    assert (len(answers), answers.size_bytes) == (0, 0)


def test_other_arguments_and_other_spaces_are_other_answers() -> None:
    answers = Answers()
    answers.keep(key(), TOOL, said())
    assert answers.find(key(b'{"a":1}'), TOOL) is None
    assert answers.find(key(space=Space()), TOOL) is None


def test_what_was_kept_ends_where_the_space_forgets() -> None:
    space, answers = Space(), Answers()
    answers.keep(key(space=space), TOOL, said())
    space.forget()
    assert answers.find(key(space=space), TOOL) is None


def test_a_tool_compiled_anew_has_the_answers_of_its_like_alone() -> None:
    answers = Answers()
    answers.keep(key(), TOOL, said())
    assert answers.find(key(), replace(TOOL)) is not None
    assert answers.find(key(), replace(TOOL, cache_seconds=30.0)) is None
    assert answers.find(key(), TOOL) is None


def test_what_is_too_large_is_not_kept_and_nothing_is_where_there_is_no_room() -> None:
    answers = Answers(most_bytes=1600)
    answers.keep(key(), TOOL, said("x" * 100))
    assert len(answers) == 0
    none = Answers(most_entries=0)
    none.keep(key(), TOOL, said())
    assert len(none) == 0


def test_what_was_not_used_for_longest_goes_first() -> None:
    answers = Answers(most_entries=2)
    answers.keep(key(b"1"), TOOL, said())
    answers.keep(key(b"2"), TOOL, said())
    answers.find(key(b"1"), TOOL)
    answers.keep(key(b"3"), TOOL, said())
    found = [answers.find(key(one), TOOL) is not None for one in (b"1", b"2", b"3")]
    assert found == [True, False, True]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 300)), max_size=60))
def test_it_never_holds_more_than_it_may(kept: list[tuple[int, int]]) -> None:
    answers = Answers(most_entries=8, most_bytes=4000)
    for which, size in kept:
        answers.keep(key(str(which).encode()), TOOL, said("x" * size))
        assert len(answers) <= 8
        assert 0 <= answers.size_bytes <= 4000
    for which in range(21):
        answers._remove(key(str(which).encode()))
    assert answers.size_bytes == 0


def test_other_credentials_end_what_was_kept() -> None:
    generation = 0
    space = Space(lambda: generation)
    before = space.epoch
    assert space.epoch == before
    generation = 1
    assert space.epoch > before
    between = space.epoch
    space.forget()
    assert space.epoch > between
