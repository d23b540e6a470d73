import pytest

from bascule.catalogue.promises import offered, promised
from bascule.gateway.feed import ChangeKind, ListenFilter

EVERYTHING = ListenFilter(
    tools_list_changed=True,
    prompts_list_changed=True,
    resources_list_changed=True,
    resource_subscriptions=("a",),
    task_ids=("t",),
)


def test_a_server_is_held_to_what_it_advertised():
    capabilities = (
        b'{"tools":{"listChanged":true},"prompts":{"listChanged":true},"completions":{},'
        b'"resources":{"listChanged":true,"subscribe":true},'
        b'"extensions":{"io.modelcontextprotocol/tasks":{}}}'
    )

    assert promised(EVERYTHING, capabilities) == EVERYTHING
    assert promised(ListenFilter(), capabilities) == ListenFilter()


@pytest.mark.parametrize(
    "capabilities",
    [b"{}", b'{"tools":{},"prompts":{"listChanged":false},"resources":{}}', b"", b"[]", b"\xff"],
)
def test_what_was_not_advertised_is_not_promised(capabilities: bytes):
    assert promised(EVERYTHING, capabilities) == ListenFilter()


def test_lists_are_offered_whether_or_not_their_changes_are_told():
    assert offered(b'{"tools":{},"resources":{"subscribe":true}}') == {
        ChangeKind.TOOLS,
        ChangeKind.RESOURCES,
    }


@pytest.mark.parametrize("capabilities", [b"{}", b"", b"7", b'{"tools":7}'])
def test_a_server_that_makes_no_sense_offers_nothing(capabilities: bytes):
    assert offered(capabilities) == set()
