"""Prints the OpenAPI document of the routes that the pages use, without starting a gateway."""

import json
import sys

from fastapi import FastAPI

from bascule.api.errors import ErrorBody
from bascule.api.resources.conversations.endpoints import router as conversations
from bascule.api.resources.session.endpoints import router as session


def describe() -> dict[str, object]:
    """As the gateway's own document has it, but for all other routes."""
    app = FastAPI(title="Bascule", version="0")
    for router in (conversations, session):
        app.include_router(router, responses={"4XX": {"model": ErrorBody}})
    return app.openapi()


if __name__ == "__main__":
    json.dump(describe(), sys.stdout, indent=1, sort_keys=True)
