"""Statuses that are not OK: tests/unit/upstreams/grpc/test_upstream.py has them from a service."""

from dataclasses import dataclass
from enum import Enum

import pytest

from bascule.gateway.errors import UpstreamCut, UpstreamRateLimited, UpstreamTimeout
from bascule.upstreams.grpc.outcomes import outcome_of


@dataclass
class Said:
    word: str
    text: str = "because"

    def code(self) -> Enum:
        return Enum("Code", [self.word])[self.word]

    def details(self) -> str:
        return self.text


def test_a_status_nobody_knows_counts_as_a_failure_of_the_service() -> None:
    result = outcome_of(Said("SOMETHING_NEW"), "tool", "orders")
    assert (result.is_error, result.upstream_status) == (True, 500)


def test_a_service_that_says_nothing_is_not_quoted() -> None:
    result = outcome_of(Said("NOT_FOUND", ""), "tool", "orders")
    assert "It said" not in result.body["content"][0]["text"]  # type: ignore[index]


def test_what_came_in_the_way_of_an_answer_is_an_exception() -> None:
    for word, failure in (
        ("DEADLINE_EXCEEDED", UpstreamTimeout),
        ("RESOURCE_EXHAUSTED", UpstreamRateLimited),
        ("UNAVAILABLE", UpstreamCut),
    ):
        with pytest.raises(failure):
            outcome_of(Said(word), "tool", "orders")
