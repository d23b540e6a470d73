"""Where the API is: the base URL of a document."""

from collections.abc import Callable
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urljoin, urlsplit

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import DocumentRejected, Remarks, Unconvertible
from bascule.catalogue.openapi.shapes import as_text

UNKNOWN_SERVER: Final = "https://address-not-set.invalid"
"""An address that no host has (RFC 2606), until somebody gives the right one."""

REMEDY: Final = "Pass the address of the API with --base-url (REST: base_url)."

MayName: TypeAlias = Callable[[str], bool]
"""Whether a document may name this host as the place of an API."""


def any_host(host: str) -> bool:
    """For documents of those who may connect to what they like."""
    del host
    return True


def choose_base_url(
    root: Node,
    given: str | None,
    remarks: Remarks,
    document_url: str = "",
    may_name: MayName = any_host,
) -> str:
    """`given`, or the first server of the document that can be used, without a slash at its end.

    "" where there is none, with a remark: such tools can be looked at, not called. A server
    without a host is at `document_url`, the address that the document came from. Of the document,
    only hosts are taken that it `may_name`.

    Raises:
        DocumentRejected: `given` is not a complete http(s) address.
    """
    if given is not None:
        problem = _problem(given)
        if problem:
            raise DocumentRejected(f"The base URL cannot be used: {problem}.")
        return given.rstrip("/")
    servers = root.get("servers")
    for server in servers.items() if servers else ():
        url = _address(server)
        if url is None:
            continue
        url = urljoin(document_url, url) if document_url else url
        problem = _problem(url)
        if problem is None and may_name(host_of(url)):
            return url.rstrip("/")
        if problem is None:
            remarks.add((*server.pointer, "url"), inside(url))
            continue
        remarks.add(
            (*server.pointer, "url"),
            f"The server {url[:200]!r} cannot be used: {problem}. {REMEDY}",
        )
    return _without_servers(servers, remarks, document_url, may_name)


def _without_servers(
    servers: Node | None, remarks: Remarks, document_url: str, may_name: MayName
) -> str:
    if servers is not None and list(servers.items()):
        return ""
    if document_url:
        # OpenAPI 3.1.1, OpenAPI Object: without servers, the API is at `/` of the same host.
        url = urljoin(document_url, "/").rstrip("/")
        if may_name(host_of(url)):
            return url
        remarks.add((), inside(url))
        return ""
    remarks.add((), f"The document names no server. {REMEDY}")
    return ""


def first_server(owner: Node) -> str | None:
    """The URL of the first server of a document, path or operation, its variables filled in."""
    servers = owner.get("servers")
    for server in servers.items() if servers else ():
        url = _address(server)
        if url is not None:
            return url
    return None


def own_server(
    operation: Node, item: Node, base_url: str, remarks: Remarks, may_name: MayName = any_host
) -> str:
    """Where an operation is that names a server of its own; "" where that is `base_url`.

    One that cannot be used is remarked on, and stands for `UNKNOWN_SERVER`: what is meant for one
    host is never sent to another.

    Raises:
        Unconvertible: it is on a host that the document may not name.
    """
    for owner in (operation, item):
        server = first_server(owner)
        if server is None:
            continue
        url = urljoin(base_url + "/", server).rstrip("/") if base_url else server.rstrip("/")
        problem = _problem(url)
        if url == base_url:
            return ""
        at = (*owner.pointer, "servers")
        if problem is None and not may_name(host_of(url)):
            raise Unconvertible(at, inside(url))
        if problem is None:
            remarks.add(at, f"It is served at {url[:200]}, not where most others are.")
            return url
        remarks.add(
            at,
            f"The server {url[:200]!r} cannot be used: {problem}. Give its upstream the address, "
            "or import with --base-url.",
        )
        return UNKNOWN_SERVER
    return ""


def host_of(url: str) -> str:
    """The host that `url` names; "" for none, and where it is malformed."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def inside(url: str) -> str:
    """Why the server `url` of a document is not used, and what to do about it."""
    return (
        f"The server {url[:200]!r} is an address inside, which a document may not choose. "
        "Put a range that holds it in the setting upstreams.allowed_networks, or let somebody "
        "import it who may manage servers (mcp:manage_servers)."
    )


def _address(server: Node) -> str | None:
    url = server.text("url")
    variables = server.get("variables")
    for name, variable in variables.children() if url and variables else ():
        default = as_text(variable.members.get("default"))
        if url and default is not None:
            url = url.replace(f"{{{name}}}", default)
    return url


def _problem(url: str) -> str | None:
    """Why `url` is not a base URL; None where it is."""
    if not url.isprintable() or " " in url:
        return "it holds spaces or control characters"
    if "{" in url:
        return "it has a variable without a default"
    try:
        parts = urlsplit(url)
        _ = parts.port  # read for its check
    except ValueError as error:
        return f"it is malformed ({error})"
    return _objection(parts)


def _objection(parts: SplitResult) -> str | None:
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "it is not a complete address that begins with http:// or https://"
    if parts.username is not None or parts.password is not None:
        return "it holds a password, which belongs in a header of the upstream"
    if parts.query or parts.fragment:
        return "it has a query or a fragment"
    return None
