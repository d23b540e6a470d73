from bascule.gateway.tool import Member


def test_a_borrowed_tool_is_shown_by_its_own_name_unless_it_has_another() -> None:
    assert Member("book").shown_name == "book"
    assert Member("book", name="reserve").shown_name == "reserve"
