"""Files on other hosts: read only where the operator named the host.

How a file is fetched is the caller's: it gives a `Fetch` that answers for addresses, redirects,
time and size. Nothing here opens a connection.
"""

from collections.abc import Callable, Collection
from typing import Final, NoReturn, TypeAlias

from bascule.catalogue.openapi.references import host_of

Fetch: TypeAlias = Callable[[str], bytes]
"""Gives the content at an http(s) address, or raises `FetchFailed`."""

MOST_REMOTE_FILES: Final = 200
"""Files one description may have on other hosts."""


class FetchFailed(Exception):
    """The content was not had; the message says why, in words that end a sentence."""


def refuse(url: str) -> NoReturn:
    """The `Fetch` of an operator who named no host.

    Raises:
        FetchFailed: always; says how to allow it.
    """
    host = host_of(url)
    raise FetchFailed(
        f"other hosts are not asked without permission. Allow it with --allow-host {host} "
        f"(REST: allow_hosts={host}), or import a folder with all the files"
    )


def only_from(hosts: Collection[str], fetch: Fetch) -> Fetch:
    """`fetch` for the named hosts, exactly these; anything else is refused."""
    allowed = frozenset(host.lower() for host in hosts)

    def fetch_allowed(url: str) -> bytes:
        return fetch(url) if host_of(url) in allowed else refuse(url)

    return fetch_allowed
