import pytest

from bascule.gateway.elevation import Scope, ScopeKind


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        (Scope(ScopeKind.TOOL, "refund"), "tool:refund"),
        (Scope(ScopeKind.BUNDLE, "payments"), "bundle:payments"),
        (Scope(ScopeKind.CALL, "refund", "9f3a"), "call:refund:9f3a"),
    ],
)
def test_a_scope_is_written_with_its_kind_before_its_name(scope: Scope, text: str) -> None:
    assert scope.text == text
