"""Where arguments come from."""

from datetime import datetime
from typing import Any

from bascule.chat.models import ModelTool
from bascule.chat.offline.history import Outcome
from bascule.chat.offline.messages import read_message
from bascule.chat.offline.resolving import Ask, Call, Resolver, Scope, same_call
from bascule.chat.offline.shelf import Shelf

NOW = datetime.fromisoformat("2026-11-24T10:30:00+05:30")
TEXT = {"type": "string"}


def schema(**properties: object) -> dict[str, object]:
    return {"type": "object", "required": list(properties), "properties": properties}


PETS = schema(pets={"type": "array", "items": schema(id=TEXT, name=TEXT)})
LIST = ModelTool("list_pets", "", schema(city=TEXT), "List pets", PETS)
SELL = ModelTool("sell_pet", "", schema(pet_id=TEXT), "Sell a pet", None, "write")
TWO = {"pets": [{"id": "p1", "name": "Rex"}, {"id": "p2", "name": "Tom"}]}


def resolver(texts: list[str], *outcomes: Outcome, asked: dict[int, Ask] | None = None) -> Resolver:
    messages = [read_message(at, text, NOW) for at, text in enumerate(texts)]
    return Resolver(Shelf([LIST, SELL]), Scope(messages, outcomes, 0, asked or {}))


def listed(structured: Any = TWO, *, is_error: bool = False, city: str = "Oslo") -> Outcome:
    return Outcome(0, 1, "list_pets", LIST, {"city": city}, structured, "", is_error)


def test_what_no_text_says_is_looked_up_and_that_is_asked_for_first() -> None:
    (step,) = resolver(["sell a pet"]).fill(SELL).steps
    assert isinstance(step, Ask)
    assert (step.tool, step.leaf.name) == (LIST, "city")
    assert resolver(["sell a pet in Oslo"]).fill(SELL).steps == [Call(LIST, {"city": "Oslo"})]


def test_a_list_is_chosen_from_unless_it_has_one_row() -> None:
    (step,) = resolver(["sell a pet in Oslo"], listed()).fill(SELL).steps
    assert isinstance(step, Ask)
    assert step.rows is not None
    one = {"pets": TWO["pets"][:1]}
    assert resolver(["sell a pet in Oslo"], listed(one)).fill(SELL).arguments == {"pet_id": "p1"}
    named = resolver(["sell Tom in Oslo"], listed()).fill(SELL)
    assert named.arguments == {"pet_id": "p2"}


def test_a_place_in_the_list_counts_only_after_it_was_shown() -> None:
    assert resolver(["sell the second pet in Oslo"], listed()).fill(SELL).steps
    after = resolver(["sell a pet in Oslo", "the second"], listed())
    assert after.fill(SELL).arguments == {"pet_id": "p2"}


def test_another_list_is_made_where_what_it_depends_on_has_changed() -> None:
    (step,) = resolver(["sell a pet in Oslo", "in Rome"], listed()).fill(SELL).steps
    assert step == Call(LIST, {"city": "Rome"})


def test_an_empty_list_asks_for_something_else() -> None:
    (step,) = resolver(["sell a pet in Oslo"], listed({"pets": []})).fill(SELL).steps
    assert isinstance(step, Ask)
    assert (step.is_empty, step.leaf.name) == (True, "city")


def test_what_failed_is_not_tried_again_but_asked_for() -> None:
    (step,) = resolver(["sell a pet in Oslo"], listed(None, is_error=True)).fill(SELL).steps
    assert isinstance(step, Ask)
    assert step.leaf.name == "city"


def test_calls_are_the_same_whatever_the_order() -> None:
    outcome = Outcome(0, 1, "t", None, {"a": 1, "b": 2}, None, "", is_error=False)
    assert same_call(outcome, "t", {"b": 2, "a": 1})
    assert not same_call(outcome, "t", {"b": 2})
