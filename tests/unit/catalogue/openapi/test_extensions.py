"""What an author says of an operation is believed where it makes sense."""

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.extensions import (
    cache_seconds_of,
    domain_of,
    is_idempotent,
    owner_of,
    risk_of,
    timeout_seconds_of,
)
from bascule.catalogue.openapi.operations import Operation
from bascule.gateway.tool import ParameterLocation, RestParameter, RiskLevel


def make_operation(method: str = "GET", **members: object) -> Operation:
    node = Node({name.replace("_", "-"): value for name, value in members.items()}, ("here",))
    return Operation(method, "/a", (), node, Node({}, ()))


def make_context() -> Context:
    return Context(Document({}), ignores_ref_siblings=True)


def remarks_of(context: Context) -> list[str]:
    return [one.message for one in context.remarks.findings({})]


def test_a_method_nobody_has_heard_of_may_do_anything() -> None:
    assert risk_of(make_operation("QUERY"), make_context()) is RiskLevel.READ
    assert risk_of(make_operation("PURGE"), make_context()) is RiskLevel.PRIVILEGED


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [(True, 300.0), (False, 0.0), (0, 0.0), (60, 60.0), (0.5, 0.5), (86_400, 86_400.0)],
)
def test_answers_are_kept_for_as_long_as_is_said(stated: object, seconds: float) -> None:
    context = make_context()

    assert cache_seconds_of(make_operation(x_bascule_cache=stated), RiskLevel.READ, context) == (
        seconds
    )
    assert remarks_of(context) == []


@pytest.mark.parametrize("stated", [-1, "yes", None, 86_401, [1], float("inf"), float("nan")])
def test_a_cache_that_makes_no_sense_is_none(stated: object) -> None:
    context = make_context()

    assert cache_seconds_of(make_operation(x_bascule_cache=stated), RiskLevel.READ, context) == 0
    assert "nothing is cached" in remarks_of(context)[0]


def test_only_reads_are_cached() -> None:
    context = make_context()
    operation = make_operation("POST", x_bascule_cache=True)

    assert cache_seconds_of(operation, RiskLevel.WRITE, context) == 0
    assert remarks_of(context) == ["Only reads are cached; this is none."]


@pytest.mark.parametrize("stated", [0, -1, "5", True, 3_601, None])
def test_a_timeout_that_makes_no_sense_is_that_of_the_upstream(stated: object) -> None:
    context = make_context()

    assert timeout_seconds_of(make_operation(x_bascule_timeout=stated), context) is None
    assert "of the upstream counts" in remarks_of(context)[0]


def test_a_timeout_is_in_seconds() -> None:
    context = make_context()

    assert timeout_seconds_of(make_operation(x_bascule_timeout=2.5), context) == 2.5
    assert timeout_seconds_of(make_operation(), context) is None
    assert remarks_of(context) == []


@pytest.mark.parametrize(
    ("name", "required", "expected"),
    [("Idempotency-Key", True, True), ("idempotency-key", False, False), ("X-Other", True, False)],
)
def test_a_call_that_must_carry_its_own_key_can_be_sent_again(
    name: str, *, required: bool, expected: bool
) -> None:
    parameter = RestParameter(
        name, name, ParameterLocation.HEADER, "simple", explode=False, required=required
    )

    assert is_idempotent(make_operation("POST"), [parameter], make_context()) is expected


def test_an_owner_is_that_of_the_operation_or_else_of_the_document() -> None:
    document = Document({"x-bascule-owner": "crm", "x-bascule-domain": "sales"})
    context = Context(document, ignores_ref_siblings=True)
    assert owner_of(make_operation(x_bascule_owner="desk"), context) == "desk"
    assert owner_of(make_operation(), context) == "crm"
    assert domain_of(make_operation(), context) == "sales"
    assert domain_of(make_operation(), make_context()) is None
    assert remarks_of(context) == []


@pytest.mark.parametrize("stated", ["", " crm", "two\nlines", "x" * 101, 7, None, ["crm"]])
def test_an_owner_that_is_none_is_left_out(stated: object) -> None:
    context = make_context()
    assert owner_of(make_operation(x_bascule_owner=stated), context) is None
    assert "left out" in remarks_of(context)[0]
