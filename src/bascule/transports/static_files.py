"""Files of a folder as browsers get them: read once, and served from memory.

What is below the path and no file is the folder's `index.html`, whose script knows the address.
Sources: RFC 9110 sections 8.8.3, 12.5.3 and 13.1.2; RFC 9111 section 5.2; RFC 8246 (immutable).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Self

from bascule.transports.asgi import Receive, Scope, Send, respond
from bascule.transports.reply import HeaderList

INDEX: Final = "index.html"
HASHED: Final = "assets/"
"""Below it each name holds a hash of the content: such a file never changes."""

POLICY: Final = (
    b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; "
    b"object-src 'none'"
)
_COMPRESSED: Final = ".gz"
_NOT_SERVED: Final = frozenset({"manifest.json"})
"""What the build tells of itself, for tools."""

_KINDS: Final = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
    ".woff2": b"font/woff2",
}
_UNKNOWN_KIND: Final = b"application/octet-stream"
_SHIELDS: Final[HeaderList] = [
    (b"content-security-policy", POLICY),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
]
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_ODD: Final = re.compile(r"[\x00-\x1f\x7f\\]|(?:^|/)\.\.?(?:/|$)")


@dataclass(frozen=True, slots=True)
class _Form:
    """One way a file is sent: as it is, or compressed. `headers` are those of 200 and 304."""

    body: bytes
    etag: bytes
    headers: HeaderList
    about_body: HeaderList


@dataclass(frozen=True, slots=True)
class _File:
    plain: _Form
    compressed: _Form | None


class StaticFiles:
    """An ASGI application for GET and HEAD at `prefix` (such as "/chat") and everything below."""

    def __init__(self, prefix: str, files: Mapping[str, bytes]) -> None:
        """`files` are contents by name, "assets/a.js"; "assets/a.js.gz" is the same, compressed.

        Raises:
            ValueError: there is no `index.html` among them.
        """
        if INDEX not in files:
            raise ValueError(f"There is no {INDEX} to serve at {prefix}.")
        self._prefix = prefix
        self._files = {
            name: _file(name, body, files.get(f"{name}{_COMPRESSED}"))
            for name, body in files.items()
            if not (name.endswith(_COMPRESSED) or name in _NOT_SERVED)
        }

    @classmethod
    def read(cls, prefix: str, folder: Path) -> Self:
        """Everything in `folder` but links; blocks while it reads.

        Raises:
            OSError: the folder cannot be read.
            ValueError: there is no `index.html` in it.
        """
        return cls(prefix, dict(_contents(folder)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; its host has been judged."""
        method: str = scope["method"]
        if method not in {"GET", "HEAD"}:
            await respond(send, 405, b"", [(b"allow", b"GET, HEAD")])
            return
        file = self._find(scope["path"])
        if file is None:
            body = b"There is no such file here." if method == "GET" else b""
            await respond(send, 404, body, [_TEXT])
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        form = _chosen(file, headers.get(b"accept-encoding", b""))
        if _is_known(form.etag, headers.get(b"if-none-match")):
            await _send(send, 304, form.headers, b"")
            return
        body = form.body if method == "GET" else b""
        await _send(send, 200, [*form.headers, *form.about_body], body)

    def _find(self, path: str) -> _File | None:
        """What is at `path`; a name is looked up and never opened, so none leads elsewhere."""
        name = path.removeprefix(self._prefix).removeprefix("/")
        found = self._files.get(name)
        if found is not None:
            return found
        # A script of before an upgrade must fail as missing, not as a page that is no script.
        if name.startswith(HASHED) or _ODD.search(name):
            return None
        return self._files[INDEX]


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink():
            yield name, path.read_bytes()


def _file(name: str, body: bytes, compressed: bytes | None) -> _File:
    is_hashed = name.startswith(HASHED)
    kept = b"public, max-age=31536000, immutable" if is_hashed else b"no-cache"
    headers: HeaderList = [(b"cache-control", kept), *_SHIELDS]
    if compressed is not None:
        headers.append((b"vary", b"accept-encoding"))
    kind = (b"content-type", _KINDS.get(PurePosixPath(name).suffix, _UNKNOWN_KIND))
    plain = _form(body, headers, [kind])
    if compressed is None:
        return _File(plain, None)
    return _File(plain, _form(compressed, headers, [kind, (b"content-encoding", b"gzip")]))


def _form(body: bytes, headers: HeaderList, about_body: HeaderList) -> _Form:
    etag = b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()
    length = (b"content-length", b"%d" % len(body))
    return _Form(body, etag, [(b"etag", etag), *headers], [*about_body, length])


def _chosen(file: _File, accepted: bytes) -> _Form:
    """The compressed form where there is one, and who asks can read it."""
    if file.compressed is None or not accepts_gzip(accepted):
        return file.plain
    return file.compressed


def accepts_gzip(header: bytes) -> bool:
    """Whether an Accept-Encoding asks for gzip: by its name, else by `*`, with a weight above 0."""
    weights: dict[bytes, float] = {}
    for one in header.lower().split(b","):
        coding, *parameters = (part.strip() for part in one.split(b";"))
        weights[coding] = _weight(parameters)
    named = max((weights[one] for one in (b"gzip", b"x-gzip") if one in weights), default=None)
    return (weights.get(b"*", 0.0) if named is None else named) > 0


def _weight(parameters: list[bytes]) -> float:
    for one in parameters:
        if one.startswith(b"q="):
            try:
                return float(one[2:])
            except ValueError:
                return 0.0
    return 1.0


def _is_known(etag: bytes, known: bytes | None) -> bool:
    """Whether who asks has it already; validators are compared weakly."""
    if known is None:
        return False
    values = {one.strip().removeprefix(b"W/") for one in known.split(b",")}
    return b"*" in values or etag in values


async def _send(send: Send, status: int, headers: HeaderList, body: bytes) -> None:
    """Send a response whose length the headers tell, which HEAD has without a body."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
