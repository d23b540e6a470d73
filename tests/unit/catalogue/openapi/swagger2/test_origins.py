"""Every place of the new document leads back to one that was read."""

from bascule.catalogue.openapi.swagger2.origins import Origins


def test_the_nearest_noted_place_counts() -> None:
    origins = Origins()
    origins.note(("paths", "/a"), ("items", "a"))
    origins.note(("paths", "/a", "get", "requestBody"), ("items", "a", "get", "parameters", "1"))

    assert origins.of(("paths", "/a", "get")) == ("items", "a", "get")
    assert origins.of(("paths", "/a", "get", "requestBody", "content")) == (
        "items", "a", "get", "parameters", "1", "content",
    )  # fmt: skip


def test_what_was_not_noted_is_where_it_was() -> None:
    origins = Origins()
    origins.note(("a",), ("a",))

    assert origins.of(("a", "b")) == ("a", "b")
    assert origins.of(()) == ()
