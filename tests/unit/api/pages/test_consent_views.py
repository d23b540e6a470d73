"""What pages say; how they come to be is in test_consent."""

from bascule.api.pages.consent_views import (
    done,
    message,
    origin_of,
    other_account,
    over,
    question,
    sign_in_first,
)
from fakes.consents import pending_of

EVIL = '"><script>alert(1)</script>'


def test_nothing_foreign_becomes_markup() -> None:
    pending = pending_of(upstream=EVIL, resource=EVIL, issuer=f"https://{EVIL}", scopes=(EVIL,))
    pages = [
        question(pending, EVIL, EVIL),
        done(EVIL, EVIL),
        other_account(EVIL, EVIL),
        sign_in_first(EVIL, EVIL, EVIL),
        message(EVIL, EVIL),
    ]
    for page in pages:
        assert b"<script" not in bytes(page.body)
        assert b"alert(1)" in bytes(page.body) or b"alert%281%29" in bytes(page.body)


def test_no_page_is_kept_or_framed() -> None:
    for page in (over(), done("notes", "ann"), question(pending_of(), "ann", "t")):
        assert page.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_where_no_scopes_are_asked_for_that_is_said() -> None:
    page = question(pending_of(scopes=()), "ann", "t")
    assert b"whatever the service takes to be usual" in bytes(page.body)


def test_whoever_gives_the_gateway_its_own_access_is_told_what_it_is_for() -> None:
    own = bytes(question(pending_of(owner=""), "the gateway itself", "t").body)
    assert b"Let this gateway list what notes offers?" in own
    assert b"if you administer this gateway" in own
    assert b"for you?" in bytes(question(pending_of(), "ann", "t").body)


def test_a_failure_is_read_out_at_once_by_screen_readers() -> None:
    assert b'role="alert"' in bytes(message("No", "It failed.", is_bad=True).body)
    assert b'role="status"' in bytes(message("Yes", "It worked.").body)


def test_an_origin_is_a_url_without_what_follows() -> None:
    assert origin_of("https://id.example:8443/a?b#c") == "https://id.example:8443"
