"""Where the API is: the base URL of a document."""

from typing import Final
from urllib.parse import SplitResult, urlsplit

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import DocumentRejected, Finding
from bascule.catalogue.openapi.pointers import to_fragment
from bascule.catalogue.openapi.shapes import as_text

_REMEDY: Final = "Pass the address of the API with --base-url."


def choose_base_url(root: Node, given: str | None) -> str:
    """`given`, or the first server of the document, without a slash at its end.

    Raises:
        DocumentRejected: there is none, or it is not a complete http(s) address.
    """
    if given is not None:
        problem = _problem(given)
        if problem:
            raise DocumentRejected(f"The base URL cannot be used: {problem}.")
        return given.rstrip("/")
    server = first_server(root)
    if server is None:
        raise DocumentRejected(f"The document names no server. {_REMEDY}")
    problem = _problem(server)
    if problem:
        raise DocumentRejected(
            f"The server of the document, {server[:200]!r}, cannot be used: {problem}. {_REMEDY}",
            [Finding(to_fragment((*root.pointer, "servers", "0", "url")), problem)],
        )
    return server.rstrip("/")


def first_server(owner: Node) -> str | None:
    """The URL of the first server of a document, path or operation, its variables filled in."""
    servers = owner.get("servers")
    for server in servers.items() if servers else ():
        url = server.text("url")
        if url is not None:
            return _fill(url, server.get("variables"))
    return None


def _fill(url: str, variables: Node | None) -> str:
    for name, variable in variables.children() if variables else ():
        default = as_text(variable.members.get("default"))
        if default is not None:
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
