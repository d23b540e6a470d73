from typing import Any

import pytest

from bascule.gateway.principal import Certificate
from bascule.identity.bindings import is_held_by, thumbprint_of
from bascule.identity.rejections import Reason, Rejection
from fakes.issuers import encode

THUMBPRINT = bytes(range(32))


def test_a_token_that_is_bound_to_nothing_has_no_thumbprint() -> None:
    assert thumbprint_of({}) is None


def test_a_certificate_is_named_by_its_digest() -> None:
    assert thumbprint_of({"cnf": {"x5t#S256": encode(THUMBPRINT)}}) == THUMBPRINT.hex()


@pytest.mark.parametrize(
    "cnf",
    [
        None, {}, "x", [], {"jkt": "x"}, {"x5t#S256": encode(THUMBPRINT), "jkt": "x"}, {"kid": "x"},
        {"x5t#S256": None}, {"x5t#S256": 5}, {"x5t#S256": ""}, {"x5t#S256": "*"},
        {"x5t#S256": "é"}, {"x5t#S256": encode(THUMBPRINT[:-1])},
    ],
)  # fmt: skip
def test_what_is_bound_in_any_other_way_is_refused(cnf: Any) -> None:
    found = thumbprint_of({"cnf": cnf})
    assert isinstance(found, Rejection)
    assert found.reason is Reason.BINDING


def test_the_certificate_must_be_there_and_the_very_one() -> None:
    held = Certificate("s", "i", THUMBPRINT.hex().upper())
    assert is_held_by(THUMBPRINT.hex(), held)
    assert not is_held_by("00" * 32, held)
    assert not is_held_by(THUMBPRINT.hex(), None)
