"""The REST API as one ASGI application."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from bascule import __version__
from bascule.api.access import OPENAPI_PATH, KeyFirst
from bascule.api.body_limit import BodyLimit, Limit
from bascule.api.control import Control
from bascule.api.correlation import Correlation
from bascule.api.edge import Edge
from bascule.api.errors import ErrorBody, install_error_handlers
from bascule.api.importing import SIZE_SETTING
from bascule.api.pages.account import router as account
from bascule.api.pages.consent import router as consent
from bascule.api.pages.elevate import router as elevate
from bascule.api.pages.elevations import router as elevation_pages
from bascule.api.pages.setup import router as setup
from bascule.api.pages.sign_in import router as sign_in_pages
from bascule.api.resources.audit_logs.endpoints import router as audit_logs
from bascule.api.resources.bundles.endpoints import router as bundles
from bascule.api.resources.certificate_rules.endpoints import router as certificate_rules
from bascule.api.resources.conversations.endpoints import router as conversations
from bascule.api.resources.decisions.endpoints import own as own_decisions
from bascule.api.resources.decisions.endpoints import router as decisions
from bascule.api.resources.discovery.endpoints import router as discovery
from bascule.api.resources.elevations.endpoints import all_elevations
from bascule.api.resources.elevations.endpoints import own as own_elevations
from bascule.api.resources.grants.endpoints import all_grants
from bascule.api.resources.grants.endpoints import own as own_grants
from bascule.api.resources.groups.endpoints import router as groups
from bascule.api.resources.issuers.endpoints import router as issuers
from bascule.api.resources.keys.endpoints import router as keys
from bascule.api.resources.me.endpoints import router as me
from bascule.api.resources.metrics.endpoints import router as metrics
from bascule.api.resources.pins.endpoints import router as pins
from bascule.api.resources.plugins.endpoints import router as plugins
from bascule.api.resources.policies.endpoints import router as policies
from bascule.api.resources.policy_versions.endpoints import router as policy_versions
from bascule.api.resources.roles.endpoints import router as roles
from bascule.api.resources.secrets.endpoints import router as secrets
from bascule.api.resources.servers.endpoints import router as servers
from bascule.api.resources.session.endpoints import router as session
from bascule.api.resources.specs.endpoints import FORM_BYTES, connectors, grpc, modules
from bascule.api.resources.specs.endpoints import router as specs
from bascule.api.resources.standards.endpoints import router as standards
from bascule.api.resources.tenants.endpoints import router as tenants
from bascule.api.resources.tools.endpoints import router as tools
from bascule.api.resources.traffic.endpoints import router as traffic
from bascule.api.resources.upstreams.endpoints import router as upstreams
from bascule.api.resources.users.endpoints import router as users
from bascule.api.resources.versions.endpoints import router as versions
from bascule.api.signin.house import SignIn
from bascule.gateway.rego import MOST_DATA_BYTES

_MOST_BODY_BYTES: Final = 1_048_576
_OF_POLICIES: Final = Limit(MOST_DATA_BYTES + 4 * 1_048_576)
"""Rego may come with data."""
_FOR_CALLERS: Final = (
    tools,
    discovery,
    specs,
    bundles,
    standards,
    servers,
    pins,
    policies,
    policy_versions,
    decisions,
    own_decisions,
    keys,
    users,
    roles,
    groups,
    tenants,
    certificate_rules,
    me,
    issuers,
    audit_logs,
    traffic,
    upstreams,
    secrets,
    versions,
    own_grants,
    all_grants,
    own_elevations,
    all_elevations,
    conversations,
    grpc,
    connectors,
    modules,
    plugins,
    metrics,
    consent,
    elevate,
)
_FOR_PEOPLE: Final = (session, sign_in_pages, setup, account, elevation_pages)


def build_api(control: Control, sign_in: SignIn | None = None) -> FastAPI:
    """The API over `control`; it owns nothing and needs no lifespan.

    Without `sign_in` there are no pages, and nobody comes in but with a key.
    """
    api = FastAPI(
        title="Bascule",
        version=__version__,
        description="What operators change: tools, bundles, policies, people, keys, issuers; "
        "and what happened.",
        openapi_url=OPENAPI_PATH,
        # The bundled pages load scripts from elsewhere; an air-gapped site must not need that.
        docs_url=None,
        redoc_url=None,
    )
    api.state.control = control
    install_error_handlers(api)
    api.router.routes.extend(_for_callers())
    if sign_in is not None:
        api.state.sign_in = sign_in
        api.router.routes.extend(_for_people())
    uploads = Limit(control.imports.max_document_bytes + FORM_BYTES, SIZE_SETTING)
    # The last one added is the first to see a request.
    larger = {
        **dict.fromkeys((specs.prefix, grpc.prefix, modules.prefix), uploads),
        **dict.fromkeys((policies.prefix, f"{policies.prefix}/"), _OF_POLICIES),
        f"{policy_versions.prefix}/": _OF_POLICIES,
    }
    api.add_middleware(BodyLimit, most_bytes=_MOST_BODY_BYTES, by_path=larger)
    api.add_middleware(KeyFirst, control=control)
    api.add_middleware(Edge)
    api.add_middleware(Correlation)
    return api


# What a route takes and gives is found out at its first request, and takes long: so all APIs of a
# process have the same ones.
@cache
def _for_callers() -> Sequence[BaseRoute]:
    return _routes(_FOR_CALLERS)


@cache
def _for_people() -> Sequence[BaseRoute]:
    return _routes(_FOR_PEOPLE)


def _routes(routers: Sequence[APIRouter]) -> Sequence[BaseRoute]:
    every = APIRouter(
        responses={
            "4XX": {"model": ErrorBody, "description": "The request was refused; says why."},
            "5XX": {"model": ErrorBody, "description": "The server failed; says what to do."},
        }
    )
    for router in routers:
        every.include_router(router)
    return tuple(every.routes)
