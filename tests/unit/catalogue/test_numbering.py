"""The number of a version grows by what changed, and is never one that is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.diffing import Severity
from bascule.catalogue.numbering import FIRST, next_version


@pytest.mark.parametrize(
    ("taken", "severity", "version"),
    [
        ([], Severity.SAFE, "1.0.0"),
        (["not a version"], Severity.BREAKING, "1.0.0"),
        (["1.2.3"], Severity.SAFE, "1.2.4"),
        (["1.2.3"], Severity.RISKY, "1.3.0"),
        (["1.2.3", "1.10.0"], Severity.RISKY, "1.11.0"),
        (["1.2.3", "v2"], Severity.BREAKING, "3.0.0"),
        (["2.0.0-rc.1"], None, "2.0.1"),
    ],
)
def test_the_worst_change_decides(taken: list[str], severity: Severity, version: str) -> None:
    assert next_version(taken, severity) == version


@given(st.lists(st.sampled_from(list(Severity)), max_size=20))
def test_no_number_is_given_twice(severities: list[Severity]) -> None:
    taken = [FIRST]
    for severity in severities:
        taken.append(next_version(taken, severity))
    assert len(set(taken)) == len(taken)
