"""Work is bounded."""

import pytest

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.findings import DocumentRejected


def test_a_budget_is_spent_to_the_last_step_and_no_further() -> None:
    budget = Budget(3)

    budget.spend(3)

    with pytest.raises(DocumentRejected, match="too much work"):
        budget.spend()
