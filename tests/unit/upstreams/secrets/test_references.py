"""References are read as they are written, or refused with what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.secrets.references import (
    Kind,
    Reference,
    needs_resolving,
    parse,
    references_in,
    shown,
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("plain", ("plain",)),
        ("${API_KEY}", (Reference(Kind.ENVIRONMENT, "API_KEY"),)),
        ("${API_KEY:none}", (Reference(Kind.ENVIRONMENT, "API_KEY", default="none"),)),
        ("${API_KEY:}", (Reference(Kind.ENVIRONMENT, "API_KEY", default=""),)),
        ("${file:/run/secrets/key}", (Reference(Kind.FILE, "/run/secrets/key"),)),
        ("Bearer ${secret:crm-token}", ("Bearer ", Reference(Kind.STORED, "crm-token"))),
        ("${vault:kv/team/crm#key}", (Reference(Kind.VAULT, "kv/team/crm", "key"),)),
        ("${aws:prod/crm}", (Reference(Kind.AWS, "prod/crm"),)),
        ("${aws:prod/crm#key}", (Reference(Kind.AWS, "prod/crm", "key"),)),
        ("a$${B}c", ("a", "${", "B}c")),
        ("${A}-${B}", (Reference(Kind.ENVIRONMENT, "A"), "-", Reference(Kind.ENVIRONMENT, "B"))),
    ],
)
def test_a_text_is_split_into_what_it_says_and_what_it_refers_to(text, parts) -> None:
    assert parse(text) == parts


@pytest.mark.parametrize(
    "text",
    ["${", "a ${ b", "${}", "${1A}", "${A B}", "${secret:}", "${secret:a/b}", "${secret:..}",
     "${secret:-x}", "${file:}", "${file:relative}", "${file:/a\0b}", "${vault:kv}",
     "${vault:kv/x}", "${vault:kv/../sys#a}", "${vault:kv//x#a}", "${vault:/kv/x#a}",
     "${vault:kv/x?y#a}", "${vault:kv/x y#a}", "${aws:}", "${aws:a\nb}"],
)  # fmt: skip
def test_a_malformed_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"reference|secret|file|Vault"):
        parse(text)


def test_a_complaint_repeats_nothing_that_may_be_a_secret() -> None:
    with pytest.raises(ValueError, match=r"\$\{9X…\}") as caught:
        parse("${9X:hunter2hunter2}")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("hunter2", "[hidden]"),
        ("${oops", "[hidden]"),
        ("Bearer ${secret:crm}", "…${secret:crm}"),
        ("${KEY:hunter2}", "${KEY:…}"),
        ("${KEY}", "${KEY}"),
        ("${vault:kv/x#f}", "${vault:kv/x#f}"),
        ("${aws:x}", "${aws:x}"),
        ("${file:/x}", "${file:/x}"),
    ],
)
def test_people_see_references_and_nothing_beside_them(text: str, said: str) -> None:
    assert shown(text) == said


def test_only_secrets_of_the_tenant_are_the_tenants() -> None:
    texts = ("${A}", "${file:/a}", "${vault:a/b#c}", "${aws:a}", "${secret:a}")
    assert [one.is_of_tenant for text in texts for one in references_in(text)] == [
        False, False, False, False, True,
    ]  # fmt: skip


def test_a_label_does_not_look_like_the_beginning_of_a_secret() -> None:
    assert [one.label for one in references_in("${secret:crm}${A}")] == ["the secret crm", "${A}"]


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parts = parse(text)
    except ValueError:
        assert needs_resolving(text)
        return
    if not needs_resolving(text):
        assert "".join(str(part) for part in parts) == text


@given(st.text(alphabet="ab${}:#/ ", max_size=20), st.text(min_size=3, max_size=9))
def test_literal_text_is_never_shown(before: str, secret: str) -> None:
    assert secret not in shown(before + secret + "${A}") or secret in "${A}…[hidden]"
