import pytest

from bascule.rego.complaints import place_of, why_of
from bascule.rego.messages import MOST_REASON

RAISED = """
--> a/b.rego:4:25
  |
4 | allow if { crypto.sha256("a") == input.user }
  |                         ^
error: could not find function crypto.sha256

Stack backtrace:
   0: <unknown>
   1: method_vectorcall
"""


def test_a_complaint_is_one_line_with_its_place_and_no_backtrace() -> None:
    assert why_of(RuntimeError(RAISED)) == "a/b.rego:4:25: could not find function crypto.sha256"
    assert place_of(RuntimeError(RAISED))[:3] == ("a/b.rego", 4, 25)


def test_a_complaint_without_a_place_says_what_it_can() -> None:
    error = RuntimeError("EOF while parsing\n\nstack backtrace:\n 0: x")
    assert place_of(error) == ("", 0, 0, "EOF while parsing")


@pytest.mark.parametrize("error", [RuntimeError(""), KeyError()])
def test_a_silent_complaint_has_the_name_of_its_kind(error: Exception) -> None:
    assert why_of(error) == type(error).__name__


def test_a_complaint_is_bounded() -> None:
    assert len(why_of(RuntimeError("x" * 100_000))) == MOST_REASON


def test_want_of_memory_is_said_in_words() -> None:
    assert why_of(MemoryError()) == "it needs more memory than it may use"
