"""The pages are served at /chat by a whole gateway, or it says how to build them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bascule.app import instance
from bascule.app.workspace import workspace
from fakes.fronts import Site, fronted

WHOLE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; "
    "object-src 'none'"
)
PAGE = b"<!doctype html><title>Assistant</title>"


@asynccontextmanager
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Site]:
    """A gateway whose pages are in `tmp_path/ui`."""
    monkeypatch.setattr(instance, "workspace", lambda: workspace(tmp_path / "ui"))
    async with fronted(tmp_path / "data", {}) as site:
        yield site


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as the build leaves it."""
    folder = tmp_path / "ui"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(PAGE)
    (folder / "assets" / "app-1.js").write_bytes(b"app()")
    (tmp_path / "secret").write_bytes(b"secret")
    return folder


async def raw(site: Site, target: str, *headers: str) -> bytes:
    """The whole answer to a request that no client would send as it stands."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(site.url.rpartition(":")[2]))
    lines = (f"GET {target} HTTP/1.1", "Connection: close", *headers, "", "")
    writer.write("\r\n".join(lines).encode("latin-1"))
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.usefixtures("built")
async def test_who_is_not_signed_in_gets_the_page_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(tmp_path, monkeypatch) as site:
        for path in ("/chat", "/chat/", "/chat/c/0"):
            page = await site.ask("GET", path)
            assert (page.status_code, page.content) == (200, PAGE)
            assert page.headers["cache-control"] == "no-cache"
            assert page.headers.get_list("content-security-policy") == [WHOLE_POLICY]
            assert page.headers["x-frame-options"] == "DENY"
        head = await site.ask("HEAD", "/chat")
        assert (head.content, head.headers["content-length"]) == (b"", str(len(PAGE)))
        known = await site.ask("GET", "/chat", headers={"if-none-match": head.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")
        script = await site.ask("GET", "/chat/assets/app-1.js")
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert (await site.ask("GET", "/chats")).status_code == 404
        assert '"/chat"' in (await site.ask("GET", "/")).text


@pytest.mark.usefixtures("built")
async def test_nothing_but_the_pages_is_reached_through_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = (
        "/chat/../secret", "/chat/%2e%2e/secret", "/chat/assets/..%2f..%2fsecret",
        "/chat/%2e%2e%5csecret", "/chat/index.html%00", "/chat//../../secret",
    )  # fmt: skip
    async with served(tmp_path, monkeypatch) as site:
        for way in ways:
            answer = await raw(site, way, f"Host: {site.url.removeprefix('http://')}")
            assert answer.startswith(b"HTTP/1.1 404 "), (way, answer)
            assert b"secret" not in answer


@pytest.mark.usefixtures("built")
async def test_the_pages_are_for_this_host_and_its_own_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(tmp_path, monkeypatch) as site:
        for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}):
            refused = await site.ask("GET", "/chat", headers=headers)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "E1005")


async def test_where_the_pages_are_not_built_it_says_how_to_build_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(tmp_path, monkeypatch) as site:
        for path in ("/chat", "/chat/c/0"):
            page = await site.client.get(path)
            assert page.status_code == 503
            assert "<code>make web</code>" in page.text
            assert "not built" in page.text
        assert (await site.ask("GET", "/healthz")).status_code == 200


async def test_pages_that_are_not_whole_are_not_served(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (built / "index.html").unlink()
    (built / "index.html").symlink_to(tmp_path / "secret")
    async with served(tmp_path, monkeypatch) as site:
        page = await site.client.get("/chat")
        assert (page.status_code, "secret" in page.text) == (503, False)
