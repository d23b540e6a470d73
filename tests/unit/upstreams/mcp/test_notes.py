import msgspec
import pytest

from bascule.gateway.feed import ChangeKind
from bascule.upstreams.mcp.messages import Incoming
from bascule.upstreams.mcp.notes import read_change


def note(method: str, params: bytes | None = None) -> Incoming:
    return Incoming(method=method, params=msgspec.UNSET if params is None else msgspec.Raw(params))


@pytest.mark.parametrize("kind", [ChangeKind.TOOLS, ChangeKind.PROMPTS, ChangeKind.RESOURCES])
def test_a_changed_list_has_no_key_and_no_params(kind: ChangeKind):
    assert read_change(note(kind)) == ((kind, ""), b"{}")
    assert read_change(note(kind, b'{"_meta":{"secret":1}}')) == ((kind, ""), b"{}")


def test_an_updated_resource_is_known_by_its_uri():
    change = read_change(note("notifications/resources/updated", b'{"uri":"file:///a"}'))

    assert change is not None
    assert change[0] == (ChangeKind.RESOURCE, "file:///a")


def test_a_task_is_known_by_its_id_and_told_as_it_came():
    params = b'{"taskId":"t-1","status":"completed","result":{"n":1e2}}'

    assert read_change(note("notifications/tasks", params)) == ((ChangeKind.TASK, "t-1"), params)


@pytest.mark.parametrize(
    "odd",
    [
        Incoming(),
        note("notifications/message", b"{}"),
        note("notifications/resources/updated"),
        note("notifications/resources/updated", b'{"uri":7}'),
        note("notifications/resources/updated", b"[]"),
        note("notifications/resources/updated", b"{"),
        note("notifications/tasks", b'{"taskId":""}'),
    ],
)
def test_what_tells_of_no_change_is_none(odd: Incoming):
    assert read_change(odd) is None
