"""Problem details are told in their own words."""

import pytest

from bascule.upstreams.rest.problems import describe_problem


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            b'{"type":"https://x/y","title":"Out of credit","status":403,"detail":"30 is not 50."}',
            "Out of credit: 30 is not 50.",
        ),
        (b'{"title":"Invalid","errors":[{"field":"a"}]}', 'Invalid {"errors":[{"field":"a"}]}'),
        (b'{"detail":" Gone. "}', "Gone."),
        (b'{"title":"Same","detail":"Same"}', "Same"),
    ],
)
def test_title_and_detail_come_first_and_more_after_them(body: bytes, told: str) -> None:
    assert describe_problem(body) == told


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"title":5}', b'{"title":" "}', b"\xff", b'{"a":' + b"[" * 5000],
)
def test_what_is_no_problem_is_not_described(body: bytes) -> None:
    assert describe_problem(body) is None
