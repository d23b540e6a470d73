from bascule.gateway import circumstances
from bascule.policy import deciding


def test_circumstances_are_those_of_the_gateway() -> None:
    assert deciding.circumstances_of is circumstances.circumstances_of
    assert deciding.circumstances_now is circumstances.circumstances_now
