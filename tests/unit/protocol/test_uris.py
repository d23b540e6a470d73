import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.protocol.uris import forms_of, template_matches, without_query


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("note://all", "note://all"),
        ("test://template/{id}/data", "test://template/123/data"),
        ("test://template/{id}/data", "test://template//data"),
        ("file:///{+path}", "file:///a/b/c.txt"),
        ("db://{table}/{row}", "db://cars/7"),
        ("db://x{/table,row}", "db://x/cars/7"),
        ("db://x{/table*}", "db://x"),
        ("web://x{?q,lang}", "web://x?q=a&lang=b"),
        ("web://x{?q}", "web://x"),
        ("web://x?fixed=1{&q}", "web://x?fixed=1&q=2"),
        ("web://x{;a}", "web://x;a=1"),
        ("web://x{.format}", "web://x.json"),
        ("web://x{#part}", "web://x#top"),
        ("a://{x}{y}", "a://both"),
        ("a://{list:3}", "a://a,b"),
        ("a://{a}-{b}-{c}", "a://1-2-3"),
    ],
)
def test_a_uri_that_a_template_makes_is_known_by_it(template: str, uri: str) -> None:
    """Source: RFC 6570, 3.2."""
    assert template_matches(template, uri)


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("note://all", "note://al"),
        ("test://template/{id}/data", "test://template/1/2/data"),
        ("test://template/{id}/data", "test://template/1"),
        ("test://template/{id}/data", "test://template/data"),
        ("aXb{x}Xb", "aXb"),
        ("db://{table}", "db://cars?drop"),
        ("a://{a}-{b}", "a://1"),
        ("a://{x", "a://{x"),
        ("a://x}", "a://x}"),
        ("a://{}", "a://"),
        ("a://{!x}", "a://1"),
        ("a://{x y}", "a://1"),
        ("a://" + "{x}" * 40, "a://1"),
        ("a://{x}" + "y" * 9000, "a://1"),
        ("a://{+x}", "a://" + "y" * 9000),
    ],
)
def test_any_other_uri_is_not(template: str, uri: str) -> None:
    assert not template_matches(template, uri)


def test_no_template_keeps_anybody_waiting() -> None:
    """Templates come from servers, URIs from callers: together they must not cost seconds."""
    template, uri = "a://" + "{+x}a" * 31 + "b", "a://" + "a" * 8000
    began = time.process_time()
    assert not template_matches(template, uri)
    assert time.process_time() - began < 1


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_are_compared(template: str, uri: str) -> None:
    assert template_matches(template, uri) in {True, False}


@given(st.text(alphabet="abcxyz019-_.~", max_size=20))
def test_whatever_a_plain_variable_holds_is_matched(value: str) -> None:
    assert template_matches("t://a/{v}/z", f"t://a/{value}/z")


@pytest.mark.parametrize(
    ("uri", "read"),
    [
        ("file:///a/../secret", "file:///secret"),
        ("file:///a/./b/", "file:///a/b/"),
        ("file:///a/..", "file:///"),
        ("file:///../../secret", "file:///secret"),
        ("FILE:///%73ecret", "file:///secret"),
        ("file:///a\\..\\secret", "file:///secret"),
        ("http://HOST/x?%61", "http://host/x?a"),
        ("note:%61", "note:a"),
        ("%61bc", "abc"),
    ],
)
def test_a_uri_is_compared_as_a_careless_server_reads_it_too(uri: str, read: str) -> None:
    assert forms_of(uri) == (uri, read)


@pytest.mark.parametrize("uri", ["file:///a/b", "note://x", "test://template/1/data", "plain"])
def test_a_plain_uri_has_one_form(uri: str) -> None:
    assert forms_of(uri) == (uri,)


@pytest.mark.parametrize(
    "uri",
    [
        "file:////etc/passwd",
        "file:///etc//passwd",
        "file:/etc/passwd",
        "FILE://localhost/etc/passwd",
        "file://LOCALHOST/etc/passwd",
        "file://127.0.0.1/etc/passwd",
        "file:///etc/p%61sswd",
        "file:///etc/p%2561sswd",
        " file:///etc/passwd",
        "fi\tle:///et\nc/passwd",
    ],
)
def test_every_spelling_of_a_file_is_known(uri: str) -> None:
    assert "file:///etc/passwd" in forms_of(uri)


@pytest.mark.parametrize("uri", ["note://s%65cret", "note://@secret", "note://secret:"])
def test_a_name_in_the_place_of_a_host_is_read_too(uri: str) -> None:
    assert "note://secret" in forms_of(uri)


def test_escapes_of_escapes_end() -> None:
    assert len(forms_of("a://" + "%25" * 100 + "41")) <= 4


def test_a_query_and_a_fragment_may_be_left_out() -> None:
    assert [without_query(one) for one in ("a://b?c", "a://b#c?d", "a://b")] == ["a://b"] * 3
