"""JSON read without trust."""

from bascule.chat.offline.shapes import as_list, as_object, as_text, assemble, at_path


def test_what_has_another_type_is_nothing() -> None:
    assert as_object([1]) is None
    assert as_list({"a": 1}) == []
    assert as_text(4) == ""


def test_a_path_leads_through_objects_only() -> None:
    assert at_path({"a": {"b": 3}}, ("a", "b")) == 3
    assert at_path({"a": [3]}, ("a", "0")) is None


def test_values_are_put_at_their_paths() -> None:
    assert assemble([(("a",), 1), (("b", "c"), 2), (("b", "d"), 3)]) == {
        "a": 1,
        "b": {"c": 2, "d": 3},
    }
