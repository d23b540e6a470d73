import pytest

from bascule.settings.problem import Problem, SettingsInvalid, fault


def test_problems_are_listed_with_place_fault_and_remedy():
    one = Problem("f.yaml:1:2", "a.b", "a.b is wrong.", "Mend it.")
    two = Problem("flag --c", "a.c", "--c is wrong.", "Drop it.")
    assert str(SettingsInvalid([one, two])) == (
        "The settings have 2 problems:\n"
        "  f.yaml:1:2: a.b is wrong.\n    Mend it.\n"
        "  flag --c: --c is wrong.\n    Drop it."
    )
    assert str(SettingsInvalid([one])).startswith("The settings have a problem:")


@pytest.mark.parametrize("what", ["is odd", "is {odd}"])
def test_a_validator_speaks_in_its_own_words(what: str):
    error = fault(what, "Mend it.")
    assert error.message() == what
    assert error.context == {"what": what, "remedy": "Mend it."}
