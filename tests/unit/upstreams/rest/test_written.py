"""Bodies of one argument, and the order of those of several."""

import pytest

from bascule.gateway.tool import RestBody
from bascule.upstreams.rest.values import Unwritable
from bascule.upstreams.rest.written import ordered_properties, whole_body


def test_a_whole_body_is_written_where_it_is_given() -> None:
    write = whole_body(RestBody("x/y", argument="body"), lambda value: ("x/y", str(value).encode()))

    assert write({"body": 5}) == ("x/y", b"5")
    assert write({}) is None
    assert write({"body": None}) is None


def test_null_is_a_value_where_it_can_be_written() -> None:
    body = RestBody("x/y", argument="body", required=True)
    write = whole_body(body, lambda value: ("x/y", b"null"), null_is_value=True)

    assert write({"body": None}) == ("x/y", b"null")
    with pytest.raises(Unwritable, match="required"):
        write({})


def test_properties_keep_the_order_of_the_document() -> None:
    body = RestBody("x/y", {"a": "a", "b__body": "b", "c": "c"}, order=("c", "b"))

    assert ordered_properties(body) == [("c", "c"), ("b__body", "b"), ("a", "a")]
