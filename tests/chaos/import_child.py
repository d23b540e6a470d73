"""Imports a document of many operations again and again, each time described anew, and publishes.

`python import_child.py DATA`. Says "begun" each time a change of the tables begins.
"""

import asyncio
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import httpx2

from bascule.app.instance import open_local
from bascule.settings.loading import load
from bascule.storage.repositories.publications import Publications

OPERATIONS = 200


def document(text: str) -> dict[str, Any]:
    """A document whose tools all say `text`."""
    answer = {"200": {"description": "ok"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Many", "version": "1"},
        "servers": [{"url": f"http://127.0.0.1:9/{text}"}],
        "paths": {
            f"/{n}": {"get": {"operationId": f"tool_{n}", "summary": text, "responses": answer}}
            for n in range(OPERATIONS)
        },
    }


async def main(data: Path) -> None:
    """Import until killed."""
    store = Publications.store

    async def announced(self: Publications, draft: Any) -> Any:
        print("begun", flush=True)
        return await store(self, draft)

    Publications.store = announced  # type: ignore[method-assign]
    async with open_local(load(None, {}), data) as (app, key):
        client = httpx2.AsyncClient(
            base_url="http://127.0.0.1",
            transport=httpx2.ASGITransport(app),
            headers={"authorization": f"Bearer {key}"},
        )
        async with client:
            for round_ in itertools.count():
                answer = await client.post(
                    "/api/admin/openapi",
                    files={"file": ("a.json", _encoded(f"round-{round_}"))},
                    data={"bundle_id": "many", "auto_publish": "true"},
                )
                assert answer.status_code == 200, answer.text


def _encoded(text: str) -> bytes:
    return json.dumps(document(text)).encode()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
