"""Places are found in JSON without reading all of it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.openapi.json_positions import find_json_lines
from bascule.catalogue.openapi.json_syntax import json_events
from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.positions import find_lines

TEXT = """

{ "a\\u00e9" : [ 1, "x,\\"}" ,
    {"b": {}}, [
  ] ],
  "c": null}
"""

VALUES = st.recursive(
    st.none() | st.integers() | st.text(alphabet='a,:"{}[]\\ é\n', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


def places(value: object, at: Pointer = ()) -> list[Pointer]:
    found = [at]
    for name, part in value.items() if isinstance(value, dict) else ():
        found += places(part, (*at, name))
    for index, part in enumerate(value if isinstance(value, list) else ()):
        found += places(part, (*at, str(index)))
    return found


def test_members_and_items_have_the_line_where_they_begin() -> None:
    wanted: list[Pointer] = [("aé",), ("aé", "1"), ("aé", "2", "b"), ("aé", "3"), ("c",), ("d",)]

    lines = find_json_lines(TEXT, [(), *wanted])

    assert lines == {
        (): 1, ("aé",): 3, ("aé", "1"): 3, ("aé", "2", "b"): 4, ("aé", "3"): 4, ("c",): 6,
    }  # fmt: skip


@given(VALUES, st.sampled_from([None, 0, 2]))
def test_lines_are_those_that_a_walk_through_all_of_it_finds(
    value: object, indent: int | None
) -> None:
    text = json.dumps(value, indent=indent)
    wanted = places(value)

    assert find_json_lines(text, wanted) == find_lines(json_events(text), wanted)
