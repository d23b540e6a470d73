import itertools

from bascule.rego.answering import Desk
from bascule.rego.messages import (
    Answers,
    Evaluate,
    Failed,
    Inspect,
    Inspected,
    Load,
    Loaded,
    Query,
    Values,
)

MODULES = {"a.rego": "package bascule.authz\nallow if input.user == `ann`\n"}


def test_a_document_decides_once_it_is_loaded() -> None:
    desk = Desk()
    asked = Evaluate("d", (b'{"user":"ann"}', b"{}"), 1.0)
    assert desk.answer(asked) == Failed("the document is not loaded")
    assert desk.answer(Load("d", MODULES, "{}")) == Loaded()
    assert desk.answer(asked) == Answers(((True, ""), (False, "")))
    assert desk.answer(Query("d", "1 + 1", b"{}")) == Values(b"[2]")


def test_documents_are_forgotten_as_told() -> None:
    desk = Desk()
    desk.answer(Load("d", MODULES, "{}"))
    assert desk.answer(Load("e", MODULES, "{}", ("d", "unknown"))) == Loaded()
    assert desk.answer(Evaluate("d", (b"{}",), 1.0)) == Failed("the document is not loaded")
    assert isinstance(desk.answer(Evaluate("e", (b"{}",), 1.0)), Answers)


def test_a_document_that_cannot_be_loaded_is_not_there() -> None:
    desk = Desk()
    assert isinstance(desk.answer(Load("d", {"a.rego": "package"}, "{}")), Failed)
    assert isinstance(desk.answer(Load("d", MODULES, "[")), Failed)
    assert isinstance(desk.answer(Evaluate("d", (b"{}",), 1.0)), Failed)


def test_what_does_not_fit_into_the_slice_waits() -> None:
    clock = itertools.count()
    desk = Desk(lambda: float(next(clock)))
    desk.answer(Load("d", MODULES, "{}"))
    answer = desk.answer(Evaluate("d", (b"{}",) * 10, 3.0))
    assert isinstance(answer, Answers)
    assert len(answer.answers) == 3
    answer = desk.answer(Evaluate("d", (b"{}",) * 10, 0.0))
    assert isinstance(answer, Answers)
    assert len(answer.answers) == 1


def test_one_bad_input_leaves_no_answer_and_does_no_harm() -> None:
    desk = Desk()
    desk.answer(Load("d", MODULES, "{}"))
    assert isinstance(desk.answer(Evaluate("d", (b"{}", b"{"), 1.0)), Failed)
    assert isinstance(desk.answer(Evaluate("d", (b"{}",), 1.0)), Answers)


def test_a_document_is_inspected_without_being_kept() -> None:
    desk = Desk()
    found = desk.answer(Inspect(MODULES, "{}"))
    assert isinstance(found, Inspected)
    assert not found.faults
