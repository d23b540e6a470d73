"""YAML becomes plain JSON values, within bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.positions import find_lines
from bascule.catalogue.openapi.yaml_syntax import read_yaml, yaml_events


def test_scalars_follow_the_core_schema() -> None:
    text = "[1, -2, 0.5, 1e3, true, False, null, ~, '', '1', yes, on, 2024-01-01, 1.2.3, .inf]"

    assert read_yaml(text) == [
        1, -2, 0.5, 1000.0, True, False, None, None, "", "1", "yes", "on", "2024-01-01", "1.2.3",
        ".inf",
    ]  # fmt: skip


def test_keys_are_the_text_that_was_written() -> None:
    assert read_yaml("200: a\nyes: b\nnull: c\n1.10: d") == {
        "200": "a", "yes": "b", "null": "c", "1.10": "d",
    }  # fmt: skip


def test_aliases_repeat_and_merge_keys_fill_in() -> None:
    text = "base: &b {a: 1, b: 2}\nsame: *b\nmore:\n  <<: *b\n  b: 3\n"

    assert read_yaml(text) == {
        "base": {"a": 1, "b": 2}, "same": {"a": 1, "b": 2}, "more": {"a": 1, "b": 3},
    }  # fmt: skip


def test_several_mappings_merge_with_the_first_winning() -> None:
    text = "x: &x {a: 1}\ny: &y {a: 2, b: 2}\nz: {<<: [*x, *y]}"

    assert read_yaml(text)["z"] == {"a": 1, "b": 2}


def test_an_alias_bomb_is_refused_before_it_expands() -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    with pytest.raises(DocumentRejected, match="YAML aliases expanded"):
        read_yaml("\n".join(layers))


def test_depth_made_of_aliases_is_refused() -> None:
    layers = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 150)]

    with pytest.raises(DocumentRejected, match="levels deep"):
        read_yaml("\n".join(layers))


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(DocumentRejected, match="levels deep"):
        read_yaml("[" * 100_000)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &a [*a]", r"alias \*a names nothing .* line 1, column 8"),
        ("a: *missing", r"alias \*missing"),
        ("a: 1\nb: 2\na: 3", "'a' appears twice.*line 3, column 1"),
        ("? [a, b]\n: c", "key that is not plain text at line 1"),
        ("a: !include other.yaml", "tag '!include'"),
        ("a: !!python/object:os.system x", "tag 'tag:yaml.org,2002:python"),
        ("a: 1\n---\nb: 2", "second YAML document"),
        ("a: 1\n b: 2", "not valid YAML: .* at line 2, column"),
        ("a: 1\nb: \x01", "not valid YAML: .* at line 2, column 4"),
        ("a: 'x", "not valid YAML"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(DocumentRejected, match=reason):
        read_yaml(text)


def test_places_are_found_in_the_text_again() -> None:
    text = "paths:\n  /a:\n    get:\n      tags:\n        - x\n        - y\n"

    lines = find_lines(
        yaml_events(text), [("paths", "/a", "get"), ("paths", "/a", "get", "tags", "1")]
    )

    assert lines == {("paths", "/a", "get"): 3, ("paths", "/a", "get", "tags", "1"): 6}


@given(st.text(max_size=60))
def test_any_text_is_read_or_rejected(text: str) -> None:
    try:
        read_yaml(text)
    except DocumentRejected:
        return
    list(yaml_events(text))
