from bascule.api.caller import Caller
from fakes.catalogue import make_principal


def test_a_caller_acts_in_its_own_tenant_under_its_own_name() -> None:
    caller = Caller(make_principal("ann", tenant="acme"), "c-1")
    assert (caller.tenant, caller.subject) == ("acme", "ann")
