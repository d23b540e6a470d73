"""Documents that the gateway fetches itself: by address, or because a document refers to them.

The rules for upstreams hold here as well, so that a document cannot make the gateway look inside.
"""

import asyncio
import time
from typing import Final

from bascule.api.importing import SIZE_SETTING, ImportRules
from bascule.catalogue.openapi import DocumentRejected, Fetch, FetchFailed
from bascule.gateway.errors import GatewayError
from bascule.upstreams.http1 import HttpClient, HttpRequest, Origin
from bascule.upstreams.http1.settings import PoolConfig

_SECONDS: Final = 30.0
_ACCEPT: Final = ("accept", "application/yaml, application/json, */*;q=0.5")


async def fetch_document(client: HttpClient, url: str) -> bytes:
    """The document or archive at `url`.

    Raises:
        DocumentRejected: it could not be had; says why.
    """
    try:
        return await get(client, url)
    except FetchFailed as failure:
        raise DocumentRejected(f"{url} cannot be fetched: {failure}.") from None


def open_client(rules: ImportRules) -> HttpClient:
    """A client that goes only where `rules` let it."""
    config = PoolConfig(
        max_connections=4, max_body_bytes=rules.max_document_bytes, rules=rules.egress
    )
    return HttpClient(config)


def fetch_from(client: HttpClient) -> Fetch:
    """`get` for a thread of this loop's, where documents are converted."""
    loop = asyncio.get_running_loop()

    def fetch(url: str) -> bytes:
        waiting = asyncio.run_coroutine_threadsafe(get(client, url), loop)
        return waiting.result(2 * _SECONDS)

    return fetch


async def get(client: HttpClient, url: str) -> bytes:
    """The content at `url`.

    Raises:
        FetchFailed: it could not be had; says why in words that end a sentence.
    """
    try:
        origin, target = Origin.locate(url.partition("#")[0])
        request = HttpRequest(origin, "GET", target, (_ACCEPT,))
        response = await client.request(request, time.monotonic() + _SECONDS)
    except ValueError as error:
        raise FetchFailed(str(error)) from None
    except GatewayError as error:
        # The private reason names addresses and settings, which the operator has to see here.
        raise FetchFailed(error.private.rstrip(".")) from None
    if 300 <= response.status < 400:
        where = (response.header("location") or "nowhere")[:200]
        raise FetchFailed(f"it redirects to {where}; give that address, if it is right")
    if response.status != 200:
        raise FetchFailed(f"it answered HTTP {response.status}")
    return response.body


def too_large(rules: ImportRules) -> DocumentRejected:
    """The refusal of a document that is larger than the rules let it be."""
    return DocumentRejected(
        f"The document is larger than the {rules.max_document_bytes:,} bytes that are accepted "
        f"({SIZE_SETTING}). Compress it (.gz, .zip), or import it in parts."
    )
