"""The REST API as one ASGI application."""

from fastapi import FastAPI

from bascule import __version__
from bascule.api.control import Control
from bascule.api.correlation import Correlation
from bascule.api.errors import ErrorBody, install_error_handlers
from bascule.api.resources.audit_logs.endpoints import router as audit_logs
from bascule.api.resources.bundles.endpoints import router as bundles
from bascule.api.resources.keys.endpoints import router as keys
from bascule.api.resources.policies.endpoints import router as policies
from bascule.api.resources.specs.endpoints import router as specs
from bascule.api.resources.tools.endpoints import discovery as tool_discovery
from bascule.api.resources.tools.endpoints import router as tools


def build_api(control: Control) -> FastAPI:
    """The API over `control`; it owns nothing and needs no lifespan."""
    api = FastAPI(
        title="Bascule",
        version=__version__,
        description="What operators change: tools, bundles, policies, keys; and what happened.",
        openapi_url="/api/openapi.json",
        # The bundled pages load scripts from elsewhere; an air-gapped site must not need that.
        docs_url=None,
        redoc_url=None,
        responses={
            "4XX": {"model": ErrorBody, "description": "The request was refused; says why."},
            "5XX": {"model": ErrorBody, "description": "The server failed; nothing was changed."},
        },
    )
    api.state.control = control
    install_error_handlers(api)
    for router in (tools, tool_discovery, specs, bundles, policies, keys, audit_logs):
        api.include_router(router)
    api.add_middleware(Correlation)
    return api
