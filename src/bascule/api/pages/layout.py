"""The frame of every page, and the headers that keep what is in it from doing anything else."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape as _escape
from importlib.resources import files

from starlette.responses import HTMLResponse, Response


def escape(text: object) -> str:
    """`text` as it may stand in HTML, between tags and in quoted attributes."""
    return _escape(str(text), quote=True)


def page(
    title: str,
    body_html: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    narrow: bool = False,
    leads_to: Iterable[str] = (),
) -> Response:
    """A whole page around `body_html`, in which everything foreign went through `escape`.

    `title` is text; the body has the one `h1`. A page for one form is `narrow`. Browsers hold
    what a form leads to in the end, redirects included, against `leads_to`: name the origins, such
    as `https://id.example.com`, besides this one. `headers` go before those of every page.
    """
    kind = ' class="narrow"' if narrow else ""
    text = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)} · Bascule</title>\n<style>{_style()}</style>\n</head>\n<body>\n"
        f'<div class="brand{" narrow" if narrow else ""}"><a href="/">Bascule</a></div>\n'
        f"<main{kind}>\n{body_html}\n</main>\n</body>\n</html>\n"
    )
    return HTMLResponse(text, status, {**page_headers(leads_to), **(headers or {})})


def page_headers(leads_to: Iterable[str] = ()) -> dict[str, str]:
    """What goes with every page, and with every redirect between them.

    The referrer policy is `same-origin` and not `no-referrer`, under which browsers send their
    forms with `Origin: null`, as they do those of strangers.
    """
    targets = " ".join(("'self'", *leads_to))
    return {
        "content-security-policy": (
            f"default-src 'none'; style-src 'sha256-{_style_digest()}'; form-action {targets}; "
            "frame-ancestors 'none'; base-uri 'none'"
        ),
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


@cache
def _style() -> str:
    return files("bascule.api.pages").joinpath("style.css").read_text("utf-8")


@cache
def _style_digest() -> str:
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
