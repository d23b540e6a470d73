"""A body too large is refused in shape, whether it says its length or not."""

from collections.abc import AsyncIterator

import pytest

from bascule.api.body_limit import BodyLimit
from bascule.api.importing import ImportRules
from fakes.asgi import FakeExchange
from unit.api.site import Site, altered, contents, document, error_of

MEGABYTE = 1_048_576


async def in_chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65_536):
        yield b" " * 65_536


async def test_more_than_a_megabyte_is_refused_by_its_declared_length(
    site: Site, subtests: pytest.Subtests
) -> None:
    for path in ["/api/admin/bundles", "/api/admin/roles", "/api/admin/keys"]:
        with subtests.test(repr(path)):
            response = await site.post(path, json={"name": "b", "description": "x" * MEGABYTE})
            error = error_of(response)
            assert (response.status_code, error["code"]) == (413, "E2006")
            assert "1,048,576" in error["message"]


async def test_more_than_a_megabyte_is_refused_where_no_length_is_declared(site: Site) -> None:
    headers = {"content-type": "application/json"}
    response = await site.post(
        "/api/admin/bundles", content=in_chunks(2 * MEGABYTE), headers=headers
    )
    assert (response.status_code, error_of(response)["code"]) == (413, "E2006")


async def test_a_document_may_be_larger_than_other_bodies(site: Site) -> None:
    assert (await site.upload(document(x="y" * (2 * MEGABYTE)))).status_code == 200


async def test_a_policy_may_come_with_data_wherever_one_is_taken(site: Site) -> None:
    for path in ["policies", "policies/a/b", "policy/versions", "policy/drafts/d"]:
        fits, not_fit = [
            await site.ask("PUT", f"/api/admin/{path}", json={"x": "y" * (many * MEGABYTE)})
            for many in (10, 15)
        ]
        assert fits.status_code in {400, 405}
        assert (not_fit.status_code, error_of(not_fit)["code"]) == (413, "E2006")


async def test_a_document_has_a_limit_too_which_a_setting_raises(site: Site) -> None:
    before = contents(site)
    rules = ImportRules(max_document_bytes=3 * MEGABYTE)
    headers = {"content-type": "multipart/form-data; boundary=x"}
    async with altered(site, imports=rules) as small:
        declared = await small.upload(b"y" * (5 * MEGABYTE))
        counted = await small.post(
            "/api/admin/openapi", headers=headers, content=_endless_part(5 * MEGABYTE)
        )
    for response in (declared, counted):
        error = error_of(response)
        assert (response.status_code, error["code"]) == (413, "E2006")
        assert "4,194,304 bytes" in error["message"]
        assert "catalogue.max_document_bytes" in error["message"]
    assert contents(site) == before


async def _endless_part(size: int) -> AsyncIterator[bytes]:
    yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    async for chunk in in_chunks(size):
        yield chunk


@pytest.mark.parametrize("length", [b"", b"-1", b"ten", b"\xb2", b"5, 5"])
async def test_a_length_that_is_no_number_does_not_open_the_gate(length: bytes) -> None:
    read: list[bytes] = []

    async def app(scope, receive, send):
        read.append((await receive())["body"])
        read.append((await receive())["body"])

    exchange = FakeExchange(b"12345", b"67890")
    exchange.scope["headers"] = [(b"content-length", length)]
    limit = BodyLimit(app, most_bytes=8, by_path={})
    with pytest.raises(Exception, match="larger than the 8 bytes"):
        await limit(exchange.scope, exchange.receive, exchange.send)
    assert read == [b"12345"]


async def test_a_body_of_exactly_the_limit_passes() -> None:
    read: list[bytes] = []

    async def app(scope, receive, send):
        read.append((await receive())["body"])

    exchange = FakeExchange(b"12345678", headers=[("content-length", "8")])
    await BodyLimit(app, most_bytes=8, by_path={})(exchange.scope, exchange.receive, exchange.send)
    assert read == [b"12345678"]


async def test_other_protocols_pass_untouched() -> None:
    seen: list[str] = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    await BodyLimit(app, most_bytes=0, by_path={})({"type": "lifespan"}, None, None)
    assert seen == ["lifespan"]
