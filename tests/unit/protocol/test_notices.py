import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.protocol.messages import SUBSCRIPTION_KEY
from bascule.protocol.notices import acknowledgement, encode_notice, encode_request, tagged

members = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3)


def test_a_notice_has_its_params_as_they_came() -> None:
    assert (
        encode_notice("m", b'{"a": 1.0}') == b'{"jsonrpc":"2.0","method":"m","params":{"a": 1.0}}'
    )
    assert json.loads(encode_notice("m", {"a": 1}))["params"] == {"a": 1}


def test_a_request_without_params_has_no_such_member() -> None:
    assert json.loads(encode_request("q-1", "roots/list", b"")) == {
        "jsonrpc": "2.0",
        "id": "q-1",
        "method": "roots/list",
    }
    assert json.loads(encode_request("q-1", "x", b"{}"))["params"] == {}


@given(members, members, st.integers() | st.text(max_size=5))
def test_a_tag_changes_nothing_else(params, meta, subscription) -> None:
    params = {**params, "_meta": meta}

    found = json.loads(tagged(json.dumps(params).encode(), subscription))

    assert found == {**params, "_meta": {**meta, SUBSCRIPTION_KEY: subscription}}


@pytest.mark.parametrize("params", [b"", b"[]", b"null", b'{"_meta":[]}'])
def test_what_is_no_object_cannot_be_tagged(params: bytes) -> None:
    with pytest.raises(ValueError, match="not the params"):
        tagged(params, 1)


def test_an_acknowledgement_names_the_subscription_and_what_was_granted() -> None:
    message = json.loads(acknowledgement({"toolsListChanged": True}, 5))

    assert message["params"] == {
        "_meta": {SUBSCRIPTION_KEY: 5},
        "notifications": {"toolsListChanged": True},
    }
