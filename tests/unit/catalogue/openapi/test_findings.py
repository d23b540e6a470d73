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


def test_remarks_beyond_a_thousand_are_counted() -> None:
    remarks = Remarks()

    for number in range(1_005):
        remarks.add((str(number),), "odd")

    assert len(remarks.findings({})) == 1_001
    assert remarks.findings({})[-1].message == "5 more remarks are not shown."
