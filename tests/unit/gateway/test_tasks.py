import json

import msgspec
import pytest
from hypothesis import given
from hypothesis.strategies import text

from bascule.gateway.errors import StaleHandle
from bascule.gateway.sealing import Purpose, owner_of
from bascule.gateway.seals import Seals
from bascule.gateway.tasks import TaskHandle, TaskIds, renamed
from fakes.catalogue import make_principal

SEALS = Seals([bytes(range(32))])
IDS = TaskIds(SEALS)
ANN = make_principal("ann")


@given(text(max_size=200), text(max_size=200), text(max_size=200))
def test_an_id_opens_for_whom_it_was_sealed(upstream: str, inner: str, tool: str):
    handle = TaskHandle(upstream, inner, tool)

    assert IDS.open(ANN, IDS.seal(ANN, handle)) == handle


@pytest.mark.parametrize(
    "stranger",
    [make_principal("bob"), make_principal("ann", tenant="other")],
    ids=["somebody else", "the same name in another tenant"],
)
def test_an_id_opens_for_nobody_else(stranger):
    task_id = IDS.seal(ANN, TaskHandle("jobs", "t-1", "work"))

    with pytest.raises(StaleHandle):
        IDS.open(stranger, task_id)


@pytest.mark.parametrize("task_id", ["", "t-1", "é", "A" * 100, "\ud800", "=?base64?eA==?="])
def test_a_made_up_id_fails_like_any_other(task_id: str):
    with pytest.raises(StaleHandle) as failure:
        IDS.open(ANN, task_id)

    assert "taskId" in failure.value.public
    assert "open" not in failure.value.public


def test_a_changed_id_and_one_of_another_purpose_fail():
    task_id = IDS.seal(ANN, TaskHandle("jobs", "t-1", "work"))
    cursor = SEALS.seal(Purpose.CURSOR, owner_of(ANN.tenant, ANN.subject), b"x")
    odd = SEALS.seal(Purpose.TASK, owner_of(ANN.tenant, ANN.subject), msgspec.msgpack.encode("x"))

    for wrong in (task_id[:-1] + ("A" if task_id[-1] != "A" else "B"), task_id + "x", cursor, odd):
        with pytest.raises(StaleHandle):
            IDS.open(ANN, wrong)


def test_an_id_does_not_show_what_it_stands_for():
    task_id = IDS.seal(ANN, TaskHandle("jobs", "secret-inner-id", "work"))

    assert "secret" not in task_id
    assert task_id != IDS.seal(ANN, TaskHandle("jobs", "secret-inner-id", "work"))


def test_an_endless_id_of_an_upstream_is_not_sealed():
    with pytest.raises(ValueError, match="bytes"):
        IDS.seal(ANN, TaskHandle("jobs", "x" * 9000, "work"))


def test_a_note_of_a_task_comes_under_the_callers_id_and_without_the_upstreams_marks():
    note = b'{"taskId":"t-1","status":"working","ttlMs":1e3,"_meta":{"x":1},"requestState":"s"}'

    params = renamed(note, "mine")

    assert params is not None
    assert json.loads(params) == {"taskId": "mine", "status": "working", "ttlMs": 1000}
    assert b"1e3" in params, "members are passed on as they came"


@pytest.mark.parametrize("note", [b"", b"[]", b"7", b"{", b'{"a":\xff}'])
def test_what_is_no_note_of_a_task_is_not_passed_on(note: bytes):
    assert renamed(note, "mine") is None
