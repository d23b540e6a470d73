"""Findings are values with a place."""

from bascule.catalogue.openapi.findings import DocumentRejected, Finding, Remarks
from bascule.gateway.errors import ErrorCode


def test_a_rejection_lists_its_findings_in_the_details() -> None:
    rejection = DocumentRejected("Add paths.", [Finding("#/paths", "missing", 3)])

    assert rejection.details == {
        "findings": [{"location": "#/paths", "line": 3, "message": "missing"}]
    }
    assert rejection.error is ErrorCode.INVALID_REQUEST


def test_the_same_remark_is_kept_once() -> None:
    remarks = Remarks()

    remarks.add(("a",), "odd")
    remarks.add(("a",), "odd")
    remarks.add(("b",), "odd")

    assert remarks.findings({("b",): 7}) == (Finding("#/a", "odd"), Finding("#/b", "odd", 7))


def test_remarks_of_a_kind_are_counted_beyond_fifty() -> None:
    remarks = Remarks()
    for number in range(87):
        remarks.add((str(number),), f"'p{number}' has {number} bytes.")
    remarks.add(("else",), "odd")

    *first, other, rest = remarks.findings({})

    assert (len(first), other.message) == (50, "odd")
    assert rest == Finding("#", "And 37 more: \u2026 has \u2026 bytes.")


def test_remarks_of_many_kinds_end_at_a_thousand() -> None:
    remarks = Remarks()
    for number in range(2_000):
        remarks.add(("a",), "odd " + "x" * (number % 150) + "y" * (number // 150))

    shown = [one for one in remarks.findings({}) if not one.message.startswith("And")]

    assert len(shown) == 1_000
