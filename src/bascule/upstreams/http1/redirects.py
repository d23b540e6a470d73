"""Which redirects are followed: those that stay where the credentials already are."""

from typing import Final
from urllib.parse import urljoin, urlsplit

from bascule.upstreams.http1.messages import HttpRequest, Origin

MOST_REDIRECTS: Final = 3
_FOLLOWED: Final = frozenset({301, 302, 303, 307, 308})
_METHODS: Final = frozenset({"GET", "HEAD"})


def redirected(request: HttpRequest, status: int, location: str | None) -> HttpRequest | None:
    """The request that a redirect asks for; None where it is not to be followed.

    Only of GET and HEAD, which ask for nothing to be done, and only within the origin: another
    host, another port or plain http must not see what was meant for this one.
    """
    if status not in _FOLLOWED or request.method not in _METHODS or not location:
        return None
    try:
        there = urljoin(f"{request.origin}{request.target}", location)
        origin, target = Origin.locate(urlsplit(there)._replace(fragment="").geturl())
    except ValueError:
        return None
    return request._replace(target=target) if origin == request.origin else None
