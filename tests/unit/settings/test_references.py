import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.settings.references import ReferenceFailed, Resolver, literal


def expand(text: str, environ: dict[str, str] | None = None, directory: Path | None = None) -> str:
    return Resolver(environ or {}, directory or Path()).expand(text)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain $ {text} $$ $NAME", "plain $ {text} $$ $NAME"),
        ("${A}", "one"),
        ("x${A}y${B}z", "xoneytwoz"),
        ("${NONE:http://localhost:8080}", "http://localhost:8080"),
        ("${NONE:}", ""),
        ("${EMPTY:default}", ""),
        ("${A:default}", "one"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("${NESTED}", "${A}"),
    ],
)
def test_references_are_replaced_once(text: str, expanded: str):
    environ = {"A": "one", "B": "two", "EMPTY": "", "NESTED": "${A}"}
    assert expand(text, environ) == expanded


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("${NONE}", "NONE is not set"),
        ("${}", "does not name"),
        ("${1X}", "does not name"),
        ("${A B:x}", "does not name"),
        ("a ${A", "no closing brace"),
        ("${A${B}}", "no closing brace"),
        ("${file:}", "names no file"),
        ("${file:missing}", "names no file"),
        ("${file:a\x00b}", "no"),
        (f"${{file:{'x' * 300}}}", "too long"),
    ],
)
def test_a_reference_to_nothing_says_what_to_do(text: str, says: str):
    with pytest.raises(ReferenceFailed, match=says) as caught:
        expand(text, {"B": "x"})
    assert caught.value.remedy


def test_files_are_relative_to_the_settings_and_lose_one_line_break(tmp_path: Path):
    (tmp_path / "unix").write_bytes(b" secret \n")
    (tmp_path / "windows").write_bytes(b"secret\r\n")
    (tmp_path / "many").write_bytes(b"secret\n\n")
    (tmp_path / "reference").write_bytes(b"${A}")
    assert expand("${file:unix}", directory=tmp_path) == " secret "
    assert expand("${file:windows}", directory=tmp_path) == "secret"
    assert expand("${file:many}", directory=tmp_path) == "secret\n"
    assert expand("${file:reference}", directory=tmp_path) == "${A}"
    assert expand(f"${{file:{tmp_path}/unix}}") == " secret "


def test_files_that_hold_no_single_value_are_refused(tmp_path: Path):
    (tmp_path / "large").write_bytes(b"x" * 65_537)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    os.mkfifo(tmp_path / "pipe")
    for name, says in [
        ("large", "more than"),
        ("binary", "UTF-8"),
        ("pipe", "no file"),
        (".", "no"),
    ]:
        with pytest.raises(ReferenceFailed, match=says):
            expand(f"${{file:{name}}}", directory=tmp_path)


def test_own_words_are_what_is_left_without_the_environment():
    assert literal("${A}${file:x}") == ""
    assert literal("u:${P:hunter2}@h $${x}") == "u:hunter2@h x}"


@given(st.text(alphabet="${}:aA1 file", max_size=30))
def test_any_text_is_expanded_or_refused(text: str):
    with suppress(ReferenceFailed):
        assert expand(text) == text or "${" in text
