"""What pages with forms share."""

from datetime import UTC, datetime, timedelta, timezone

from starlette.requests import Request

from bascule.api.pages.forms import (
    failure_page,
    fields_of,
    hidden,
    moment,
    notice,
    password_field,
    redirect,
    refusal_page,
    sign_in_first,
    token_field,
)
from bascule.api.signin.browsers import FORGED
from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Refuse
from unit.api.lobby import Lobby


def request(method: str = "GET", path: str = "/account") -> Request:
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    return Request({**scope, "bascule.correlation_id": "c-7", "server": ("127.0.0.1", 80)})


def test_a_notice_is_text_in_which_commands_stand_out() -> None:
    assert notice("") == ""
    shown = notice("Run `bascule up` & <wait>.")
    assert shown == (
        '<p class="notice bad" role="alert">Run <code>bascule up</code> &amp; &lt;wait&gt;.</p>'
    )
    assert 'role="status"' in notice("Done.", "good")


def test_hidden_fields_cannot_be_left() -> None:
    assert hidden("next", '"><script>') == (
        '<input type="hidden" name="next" value="&quot;&gt;&lt;script&gt;">'
    )
    assert 'name="csrf"' in token_field("t")


def test_password_managers_know_which_field_is_which() -> None:
    assert 'autocomplete="current-password"' in password_field("password", "Password")
    new = password_field("again", "Again", is_new=True, hint="At least 12.")
    assert 'autocomplete="new-password"' in new
    assert 'aria-describedby="again-hint"' in new
    assert 'id="again-hint">At least 12.<' in new


def test_times_are_in_utc() -> None:
    when = datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2)))
    assert "2026-01-02 01:04 UTC" in moment(when)
    assert moment(None) == "never"
    assert 'datetime="2026-01-02T01:04:00+00:00"' in moment(when.astimezone(UTC))


def test_who_is_not_signed_in_is_sent_to_do_that_and_comes_back() -> None:
    ended = Refuse(ErrorCode.TOKEN_EXPIRED, "Sign in again.", "ended")
    answer = refusal_page(request(), ended)
    assert answer.headers["location"] == "/sign-in?next=%2Faccount"
    posted = refusal_page(request("POST", "/account/password"), ended)
    assert posted.headers["location"] == "/sign-in"
    assert sign_in_first().status_code == 303


def test_any_other_refusal_is_a_page_with_the_number_that_finds_it() -> None:
    answer = refusal_page(request(), FORGED)
    assert answer.status_code == 403
    assert b"E1011 \xc2\xb7 c-7" in answer.body
    failed = failure_page(request(), ErrorCode.UNAVAILABLE, "The database is gone.")
    assert failed.status_code == 503
    assert b"The database is gone." in failed.body


def test_a_redirect_has_the_headers_of_a_page() -> None:
    answer = redirect("/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert answer.headers["cache-control"] == "no-store"


async def test_what_is_no_form_of_ours_lets_nobody_in(lobby: Lobby) -> None:
    many = {f"field-{number}": "x" for number in range(40)}
    async with lobby.browser() as browser:
        for options, status in (
            ({"content": b"\xff\xfe", "headers": {"content-type": "application/json"}}, 403),
            ({"data": {"name": ["a", "b"]}}, 403),
            ({}, 403),
            ({"files": {"name": ("a.txt", b"x")}}, 400),
            ({"files": {name: (None, value) for name, value in many.items()}}, 400),
        ):
            answer = await browser.post("/sign-in", **options)
            assert answer.status_code == status, options
            assert answer.headers["content-type"].startswith("text/html")


async def test_an_address_that_cannot_be_read_is_a_page(lobby: Lobby) -> None:
    async with lobby.browser() as browser:
        answer = await browser.post("/account/sessions/no-id/end")
    assert answer.status_code == 400
    assert "cannot be read" in answer.text


async def test_failures_behind_a_page_are_pages(lobby: Lobby) -> None:
    await lobby.add()
    lobby.site.recorder.fails = True
    async with lobby.browser() as browser:
        answer = await lobby.enter(browser)
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert "set-cookie" not in answer.headers


async def test_a_form_is_read_field_by_field() -> None:
    async def receive():
        return {"type": "http.request", "body": b"a=1&b=2", "more_body": False}

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    asked = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    assert await fields_of(asked, "a", "c") == {"a": "1", "c": ""}
