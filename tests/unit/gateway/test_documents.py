"""A document kept as text is the mapping that the text says."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.documents import JsonDocument, encode_document

OBJECTS = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=8,
    ),
    max_size=5,
)


@given(document=OBJECTS)
def test_a_document_is_the_mapping_it_was_made_from(document: dict[str, Any]) -> None:
    text = msgspec.json.encode(document)
    whole = JsonDocument(text)
    part = JsonDocument(msgspec.json.encode({"a": 1, "inside": document}), "inside")
    for one in (whole, part):
        assert one == document
        assert document == one
        assert dict(one) == document
        assert list(one) == list(document)
        assert len(one) == len(document)
        assert encode_document(one) == text
    assert whole == part
    assert encode_document(document) == text


def test_a_member_that_is_not_there_is_missing() -> None:
    document = JsonDocument(b'{"a": 1}')
    assert document["a"] == 1
    assert document.get("b") is None
    with pytest.raises(KeyError):
        document["b"]


def test_a_document_shows_what_is_in_it() -> None:
    assert repr(JsonDocument(b'{"a": {"b": 1}}', "a")) == "JsonDocument({'b': 1})"


def test_text_is_kept_to_the_byte() -> None:
    text = b'{ "a":  1.50 }'
    assert JsonDocument(text).encoded == text
    assert JsonDocument(b'{"x":{ "a":  1.50 }}', "x").encoded == text
