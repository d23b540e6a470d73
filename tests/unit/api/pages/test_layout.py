"""The frame of every page: what browsers are told to keep out of it."""

import base64
import hashlib
import re

from bascule.api.pages.layout import escape, page, page_headers


def test_foreign_text_cannot_leave_the_place_it_is_put_in() -> None:
    assert escape("""<b a="1" c='2'>&""") == "&lt;b a=&quot;1&quot; c=&#x27;2&#x27;&gt;&amp;"


def test_a_title_is_text() -> None:
    assert b"<title>&lt;script&gt; " in page("<script>", "<h1>x</h1>").body


def test_the_policy_allows_the_one_style_that_is_in_the_page_and_nothing_else() -> None:
    answer = page("Here", "<h1>Here</h1>")
    style = re.search(r"<style>(.*)</style>", bytes(answer.body).decode(), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self';" in policy
    assert "unsafe" not in policy


def test_pages_are_not_stored_nor_shown_in_frames_nor_told_to_others() -> None:
    headers = page("Here", "<h1>Here</h1>", status=403, headers={"x-more": "1"}).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-more"] == "1"


def test_a_form_may_lead_elsewhere_only_where_the_page_says_so() -> None:
    policy = page_headers(["https://id.example.com"])["content-security-policy"]
    assert "form-action 'self' https://id.example.com;" in policy


def test_a_page_for_one_form_is_narrow() -> None:
    assert b'<main class="narrow">' in page("Here", "<h1>Here</h1>", narrow=True).body
    assert b"<main>" in page("Here", "<h1>Here</h1>").body
