"""Messages taken apart."""

from datetime import datetime

import pytest

from bascule.chat.offline.messages import Kind, read_message
from bascule.chat.offline.words import Action

NOW = datetime.fromisoformat("2026-11-24T10:30:00+05:30")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("help", Kind.HELP),
        ("What can you do?", Kind.HELP),
        ("Hello!", Kind.GREETS),
        ("thanks a lot", Kind.THANKS),
        ("never mind", Kind.ABANDONS),
        ("cancel that", Kind.ABANDONS),
        ("cancel order 4711 of the shop", Kind.SAYS),
        ("stop the pump in hall 4 at once", Kind.SAYS),
        ("I need help with an order", Kind.SAYS),
    ],
)
def test_the_kind_of_a_message(text: str, kind: Kind) -> None:
    assert read_message(0, text, NOW).kind is kind


@pytest.mark.parametrize(
    ("text", "action", "asks", "topics"),
    [
        ("I need to order a pizza", Action.CREATE, True, ("pizza",)),
        ("show my order", Action.READ, True, ("order",)),
        ("My number is 4711", None, False, ()),
        ("When is the shop open?", Action.READ, True, ("shop", "open")),
        ("How do I cancel an order", Action.REMOVE, True, ("order",)),
        ("delete 'the old one' from octo/cat", Action.REMOVE, True, ()),
        ("add a task: feed the cat", Action.CREATE, True, ("task",)),
    ],
)
def test_what_a_sentence_asks_for(
    text: str, action: Action | None, asks: bool, topics: tuple[str, ...]
) -> None:
    (request,) = read_message(0, text, NOW).requests
    assert (request.action, request.asks, request.topics) == (action, asks, topics)


def test_sentences_are_apart_and_long_messages_are_cut() -> None:
    message = read_message(3, "Find pets. My code is v1.2 now", NOW)
    assert [one.text for one in message.requests] == ["Find pets.", "My code is v1.2 now"]
    assert message.requests[0].is_plural
    assert len(read_message(0, "a " * 90_000 + "\ud800", NOW).text) == 4000
