"""Cookies and what goes with them: how they are named, and what proves a request is no forgery.

A session's cookie holds 256 random bits and the name of the tenant, so that only that tenant's
rows are looked at. Over https it is `__Host-bascule`, which no other host and no plain http can
set (RFC 6265bis, section 4.1.3.2); on loopback over http it is `bascule`.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from bascule.transports.access import loopback_only

SESSION: Final = "bascule"
FORM: Final = "bascule-form"
CSRF_HEADER: Final = "X-CSRF-Token"
CSRF_FIELD: Final = "csrf"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TICKET: Final = re.compile(r"[A-Za-z0-9_-]{43}\.([A-Za-z0-9_.%~-]{1,600})")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A session's cookie, taken apart; `text` is the whole of it, and secret."""

    text: str
    tenant: str

    @property
    def digest(self) -> bytes:
        """What is kept of it."""
        return hashlib.sha256(self.text.encode()).digest()


def new_ticket(tenant: str) -> Ticket:
    """A cookie for a session in `tenant`."""
    return Ticket(f"{secrets.token_urlsafe(32)}.{quote(tenant, safe='')}", tenant)


def parse_ticket(text: str | None) -> Ticket | None:
    """The ticket in a cookie; None where it is none of ours."""
    found = _TICKET.fullmatch(text or "")
    return Ticket(found[0], unquote(found[1])) if found else None


def csrf_token(cookie: str) -> str:
    """What a page shows of its cookie, to be sent back beside it: of no use without the cookie."""
    digest = hmac.digest(cookie.encode(), b"bascule csrf", hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies of a gateway whose pages are at `public_url`; empty for wherever it is asked.

    Scripts of `origins`, such as `https://console.example.com`, may use them as our own do.
    """

    public_url: str = ""
    origins: frozenset[str] = frozenset()

    def read(self, request: Request, name: str = SESSION) -> str | None:
        """The cookie of that name, if `request` brings it."""
        return request.cookies.get(self._named(request, name))

    def set(self, request: Request, response: Response, name: str, value: str) -> None:
        """Give the browser a cookie, until it is closed."""
        response.set_cookie(
            self._named(request, name),
            value,
            path="/",
            httponly=True,
            samesite="lax",
            secure=self._is_secure(request),
        )

    def clear(self, request: Request, response: Response, name: str) -> None:
        """Take a cookie from the browser."""
        response.delete_cookie(
            self._named(request, name),
            path="/",
            httponly=True,
            samesite="lax",
            secure=self._is_secure(request),
        )

    def is_ours(self, request: Request, cookie: str | None, token: str | None) -> bool:
        """Whether `request` comes from a page that this gateway made for who has `cookie`."""
        if cookie is None or token is None or not self.is_same_origin(request):
            return False
        return hmac.compare_digest(token.encode(errors="replace"), csrf_token(cookie).encode())

    def is_same_origin(self, request: Request) -> bool:
        """Whether a browser says that a page from here sent `request`; true where none says so.

        Another port of the same host is another origin, though it gets the same cookies.
        """
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() in self.origins:
            return True
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return False
        if origin is None or (self.public_url and origin == _origin_of(self.public_url)):
            return True
        return urlsplit(origin).netloc == request.headers.get("host")

    def base_url(self, request: Request) -> str:
        """The address of this gateway as the browser has it, without a path."""
        scheme = "https" if self._is_secure(request) else request.url.scheme
        return f"{scheme}://{request.headers.get('host', '')}"

    def _named(self, request: Request, name: str) -> str:
        return f"__Host-{name}" if self._is_secure(request) else name

    def _is_secure(self, request: Request) -> bool:
        # Plain http from elsewhere means a proxy that speaks TLS; where there is none, browsers
        # drop the cookie, and nobody signs in over a line that can be listened to.
        if request.url.scheme == "https" or self.public_url.startswith("https:"):
            return True
        return not loopback_only([request.url.hostname or ""])


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
