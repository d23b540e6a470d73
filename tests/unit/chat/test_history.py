"""A stored branch becomes entries in which every call has its result, in order."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bascule.chat.history import history, steps_of
from bascule.chat.models import Answered, Entry, Returned, Said
from bascule.chat.parts import (
    CallPart,
    CallState,
    Message,
    MessageStatus,
    NoticePart,
    Part,
    Role,
    TextPart,
)

call_ids = st.integers(0, 99).map(str)
calls = st.builds(
    CallPart,
    id=call_ids,
    tool=st.sampled_from(["find", "a.b"]),
    arguments=st.just({"n": 1}),
    state=st.sampled_from(list(CallState)),
)
steps = st.tuples(st.sampled_from(["", "Text."]), st.lists(calls, max_size=3))


def message(role: Role, parts: list[Part]) -> Message:
    return Message("m", "c", role, parts, MessageStatus.COMPLETE, 0.0)


def answer(drawn: list[tuple[str, list[CallPart]]]) -> Message:
    parts: list[Part] = []
    for text, wanted in drawn:
        parts += [TextPart(text), *wanted]
    return message(Role.ASSISTANT, [*parts, NoticePart("stopped", "You stopped.")])


messages = st.one_of(
    st.lists(steps, max_size=4).map(answer),
    st.just(message(Role.USER, [TextPart("Hello")])),
)


def is_paired(entries: list[Entry]) -> bool:
    expected: list[str] = []
    for entry in entries:
        if isinstance(entry, Returned):
            if not expected or expected.pop(0) != entry.id:
                return False
        elif expected:
            return False
        elif isinstance(entry, Answered):
            expected = [wanted.id for wanted in entry.wanted]
    return not expected


@given(st.lists(messages, max_size=6))
def test_each_call_is_followed_by_its_result(branch: list[Message]) -> None:
    entries = history(branch, 100)
    assert is_paired(entries)
    for one, following in pairwise(entries):
        assert not (isinstance(one, Said) and isinstance(following, Said))


@given(st.lists(steps, max_size=5))
def test_steps_are_known_by_the_text_that_begins_each(
    drawn: list[tuple[str, list[CallPart]]],
) -> None:
    assert list(steps_of(answer(drawn).parts)) == drawn


def test_what_one_step_asked_for_is_not_taken_for_the_next() -> None:
    one, two = (CallPart(str(n), "find", {}, CallState.DONE) for n in range(2))
    entries = history([answer([("", [one]), ("", [two]), ("Found.", [])])], 100)
    kinds = [type(entry) for entry in entries]
    assert kinds == [Answered, Returned, Answered, Returned, Answered]


def test_messages_without_an_answer_between_them_become_one() -> None:
    said = message(Role.USER, [TextPart("Hello")])
    assert history([said, answer([]), said], 100) == [Said("Hello\n\nHello")]
