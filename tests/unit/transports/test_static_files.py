"""Built files reach browsers whole, once, compressed where they can be, and nothing else does."""

import gzip
from pathlib import Path

import pytest

from bascule.transports.static_files import POLICY, StaticFiles, accepts_gzip
from fakes.asgi import FakeExchange

SCRIPT = b"console.log('a script')\n" * 50
FILES = {
    "index.html": b"<!doctype html><title>Chat</title>",
    "manifest.json": b"{}",
    "licences.txt": b"Licences.",
    "assets/app-Ab12.js": SCRIPT,
    "assets/app-Ab12.js.gz": gzip.compress(SCRIPT),
    "assets/font-Cd34.woff2": b"\x00font",
    "assets/odd.bin": b"\x01",
}
SERVED = StaticFiles("/chat", FILES)


async def ask(
    path: str, method: str = "GET", files: StaticFiles = SERVED, **headers: str
) -> FakeExchange:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    exchange = FakeExchange(headers=named, method=method)
    exchange.scope["path"] = path
    await files(exchange.scope, exchange.receive, exchange.send)
    return exchange


@pytest.mark.parametrize("path", ["/chat", "/chat/", "/chat/c/1", "/chat/c/", "/chat/index.html"])
async def test_what_is_no_file_is_the_page_whose_script_knows_the_address(path: str) -> None:
    got = await ask(path)
    assert (got.status, got.body) == (200, FILES["index.html"])
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert got.headers["cache-control"] == "no-cache"


async def test_the_page_may_do_nothing_that_it_does_not_need() -> None:
    headers = (await ask("/chat/c/1")).headers
    assert headers["content-security-policy"] == POLICY.decode()
    for part in ("script-src 'self';", "frame-ancestors 'none'", "object-src 'none'"):
        assert part in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("assets/app-Ab12.js", "text/javascript; charset=utf-8"),
        ("assets/font-Cd34.woff2", "font/woff2"),
        ("assets/odd.bin", "application/octet-stream"),
    ],
)
async def test_a_file_with_a_hash_in_its_name_is_kept_for_good(name: str, kind: str) -> None:
    got = await ask(f"/chat/{name}")
    assert (got.status, got.body) == (200, FILES[name])
    assert got.headers["content-type"] == kind
    assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert got.headers["content-length"] == str(len(FILES[name]))


async def test_a_file_without_one_is_looked_at_again_each_time() -> None:
    assert (await ask("/chat/licences.txt")).headers["cache-control"] == "no-cache"


async def test_who_can_read_it_gets_the_compressed_form() -> None:
    plain = await ask("/chat/assets/app-Ab12.js", accept_encoding="br")
    small = await ask("/chat/assets/app-Ab12.js", accept_encoding="br, gzip;q=0.8")
    assert small.headers["content-encoding"] == "gzip"
    assert gzip.decompress(small.body) == plain.body == SCRIPT
    assert int(small.headers["content-length"]) == len(small.body) < len(SCRIPT)
    assert "content-encoding" not in plain.headers
    assert small.headers["vary"] == plain.headers["vary"] == "accept-encoding"
    assert small.headers["content-type"] == plain.headers["content-type"]
    assert small.headers["etag"] != plain.headers["etag"]


async def test_what_has_no_compressed_form_does_not_vary() -> None:
    got = await ask("/chat/assets/font-Cd34.woff2", accept_encoding="gzip")
    assert got.body == FILES["assets/font-Cd34.woff2"]
    assert "vary" not in got.headers


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (b"", False),
        (b"gzip", True),
        (b"GZIP", True),
        (b"x-gzip", True),
        (b"deflate, gzip ;q=0.5", True),
        (b"*", True),
        (b"*;q=0", False),
        (b"gzip;q=0, *", False),
        (b"identity", False),
        (b"gzip;q=0.000", False),
        (b"gzip;q=lots", False),
        (b"gzip;q=nan", False),
        (b"gzipped", False),
        (b",;,", False),
    ],
)
def test_gzip_is_sent_only_to_who_asks_for_it(header: bytes, *, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
async def test_who_has_it_already_is_told_so_without_a_body(form: str) -> None:
    first = await ask("/chat/", accept_encoding="gzip")
    again = await ask(
        "/chat/", accept_encoding="gzip", if_none_match=form.format(first.headers["etag"])
    )
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == "no-cache"
    assert again.headers["content-security-policy"] == POLICY.decode()
    assert "content-length" not in again.headers


async def test_who_has_another_form_or_version_gets_this_one() -> None:
    small = await ask("/chat/assets/app-Ab12.js", accept_encoding="gzip")
    assert (await ask("/chat/", if_none_match='"old"')).status == 200
    plain = await ask("/chat/assets/app-Ab12.js", if_none_match=small.headers["etag"])
    assert (plain.status, plain.body) == (200, SCRIPT)


@pytest.mark.parametrize("path", ["/chat", "/chat/assets/app-Ab12.js", "/chat/assets/gone.js"])
async def test_head_tells_what_get_would_and_has_no_body(path: str) -> None:
    got, head = await ask(path), await ask(path, "HEAD")
    assert (head.status, head.body) == (got.status, b"")
    if got.status == 200:
        assert head.headers == got.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused_and_told_which_there_are(method: str) -> None:
    got = await ask("/chat", method)
    assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "/chat/assets/app-Old1.js",
        "/chat/assets/",
        "/chat/assets/app-Ab12.js.gz",
        "/chat/../secret",
        "/chat/assets/../../secret",
        "/chat/./index.html",
        "/chat/..",
        "/chat/c/..\\secret",
        "/chat/index.html\x00.js",
        "/chat/c/a\nb",
    ],
)
async def test_a_missing_script_and_a_way_out_are_not_found(path: str) -> None:
    got = await ask(path)
    assert got.status == 404
    assert b"html" not in got.body


async def test_what_the_build_tells_of_itself_is_no_file() -> None:
    assert (await ask("/chat/manifest.json")).body == FILES["index.html"]


async def test_a_folder_is_read_whole_and_links_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(b"page")
    (folder / "assets" / "a.js").write_bytes(b"a")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "secret.js").write_bytes(b"secret")
    (folder / "assets" / "link.js").symlink_to(tmp_path / "secret.txt")
    (folder / "assets" / "more").symlink_to(tmp_path / "more")
    files = StaticFiles.read("/chat", folder)
    assert (await ask("/chat/assets/a.js", files=files)).body == b"a"
    assert (await ask("/chat/assets/link.js", files=files)).status == 404
    assert (await ask("/chat/assets/more/secret.js", files=files)).status == 404


async def test_a_folder_that_is_itself_a_link_is_read(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "index.html").write_bytes(b"page")
    (tmp_path / "pages").symlink_to(tmp_path / "build")
    files = StaticFiles.read("/chat", tmp_path / "pages")
    assert (await ask("/chat", files=files)).body == b"page"


def test_a_folder_without_its_page_cannot_be_served(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no index\.html to serve at /chat"):
        StaticFiles.read("/chat", tmp_path)
