"""Who is asking, and whether they may: the dependencies every endpoint declares."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from bascule.api.caller import Caller
from bascule.api.control import Control, Denial
from bascule.api.correlation import correlation_id_of
from bascule.api.errors import Refused, error_response
from bascule.gateway.errors import ErrorCode, Forbidden
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Refuse
from bascule.identity.scopes import insufficient
from bascule.storage.suggestion import did_you_mean
from bascule.transports.authentication import objection_to

OPENAPI_PATH: Final = "/api/openapi.json"
TENANT_HEADER: Final = "X-Bascule-Tenant"
_GUARDED: Final = ("/api/", "/metrics")
_OPEN: Final = frozenset(
    {("GET", OPENAPI_PATH), ("POST", "/api/session"), ("GET", "/api/session/providers")}
)
"""What whoever has no key yet may ask: what there is, and to be let in."""

_documented = HTTPBearer(
    auto_error=False,
    description="An API key, as `bascule keys create` shows it, or an access token of an issuer. "
    f"System administrators name another tenant to act in with the header {TENANT_HEADER}.",
)


class KeyFirst:
    """ASGI middleware: who has no key in force learns so before a byte of their body is read.

    The endpoints ask again, and for a permission; this spares the parsing of strangers' uploads.
    """

    def __init__(self, app: ASGIApp, control: Control) -> None:
        self._app = app
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        app = self._app
        if scope["type"] == "http":
            request = Request(scope)
            try:
                _refuse_misplaced(scope)
                if _needs_key(scope["method"], scope["path"]):
                    scope["bascule.caller"] = await _identify(self._control, request)
            except Refused as refused:
                known: Caller | None = scope.get("bascule.known")
                self._control.note_denial(_denial(request, refused.code, refused.private, known))
                app = error_response(request, refused.code, refused.public, refused.details)
        await app(scope, receive, send)


def control_of(request: Request) -> Control:
    """The control plane behind `request`."""
    control: Control = request.app.state.control
    return control


async def _control_plane(request: Request) -> Control:
    # A coroutine, so that it does not cost a thread as plain functions do.
    return control_of(request)


async def identified(
    request: Request, _documents: Annotated[object, Depends(_documented)]
) -> Caller:
    """The caller of `request`.

    Raises:
        Refused: 401 without a key in force.
    """
    known: Caller | None = request.scope.get("bascule.caller")
    return known or await _identify(control_of(request), request)


def permitted(permission: str) -> Callable[[Request, Caller], Awaitable[Caller]]:
    """A dependency that lets through only holders of `permission`, and has it as an attribute.

    Raises:
        Forbidden: 403, naming the permission.
        Refused: 403, naming the scopes, where only the credential is limited to less.
    """
    return _Permitted(permission)


class _Permitted:
    def __init__(self, permission: str) -> None:
        self.permission = permission

    async def __call__(
        self, request: Request, caller: Annotated[Caller, Depends(identified)]
    ) -> Caller:
        permission, principal = self.permission, caller.principal
        if principal.may(permission):
            return caller
        control = control_of(request)
        if permission in principal.withheld:
            refusal = insufficient(principal, frozenset({permission}), control.snapshot())
            control.note_denial(_denial(request, refusal.error, refusal.private, caller))
            raise Refused(refusal)
        control.note_denial(_denial(request, ErrorCode.FORBIDDEN, f"lacks {permission}", caller))
        raise Forbidden(
            f"This needs the permission {permission}; ask an administrator for a role with it.",
            details={"permission": permission},
        )


def _denial(
    request: Request, error: ErrorCode, reason: str, caller: Caller | None = None
) -> Denial:
    return Denial(
        action=f"{request.method} {request.url.path}"[:200],
        correlation_id=correlation_id_of(request),
        peer=request.client.host if request.client else "",
        error=error,
        reason=reason,
        tenant=caller.tenant if caller else "",
        user=caller.subject if caller else "",
    )


def _needs_key(method: str, path: str) -> bool:
    return path.startswith(_GUARDED) and (method, path) not in _OPEN


def _refuse_misplaced(scope: Scope) -> None:
    """Refuse a credential that comes twice, or in the address of what is asked of the API."""
    is_ours = scope["path"].startswith(("/api", "/metrics"))
    query: bytes = scope.get("query_string", b"") if is_ours else b""
    objection = objection_to(scope["headers"], query)
    if objection is not None:
        error, public = objection
        raise Refused(Refuse(error, public, private="a credential in the wrong place"))


async def _identify(control: Control, request: Request) -> Caller:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    secret = credential.strip() if scheme.lower() == "bearer" else None
    sessions = control.sessions
    if secret is None and sessions is not None and sessions.carried(request):
        known = await sessions.identify(request)
    else:
        presented = control.presented(request, secret)
        known = await control.authenticator.identify(presented, control.snapshot())
    if isinstance(known, Refuse):
        raise Refused(known)
    if known.user_id is not None and control.revocations.revoked(known.user_id):
        raise Refused(_SHUT_OUT)
    if known.key_id is not None:
        control.note_use(known.tenant, known.key_id)
    caller = Caller(known, correlation_id_of(request))
    request.scope["bascule.known"] = caller
    return _acting(caller, request, control.snapshot())


def _acting(caller: Caller, request: Request, snapshot: Snapshot) -> Caller:
    """A system administrator in the tenant that the request names; everybody else at home.

    Raises:
        Refused: 403 where another may not go there, 404 for one where there is no such tenant.
    """
    wanted = request.headers.get(TENANT_HEADER)
    if wanted is None or wanted == caller.tenant:
        return caller
    if not caller.principal.may("system_admin"):
        raise Refused(_ELSEWHERE)
    if wanted not in snapshot.tenants:
        raise Refused(_no_tenant(wanted, snapshot))
    principal = replace(caller.principal, tenant=wanted)
    return Caller(principal, caller.correlation_id, home=caller.tenant)


_SHUT_OUT: Final = Refuse(
    ErrorCode.INVALID_TOKEN,
    public="This account is not active. Ask an administrator.",
    private="the user was deactivated or removed since the snapshot",
)
_ELSEWHERE: Final = Refuse(
    ErrorCode.FORBIDDEN,
    public=f"Only a system administrator may name another tenant in {TENANT_HEADER}.",
    private="named another tenant",
)


def _no_tenant(wanted: str, snapshot: Snapshot) -> Refuse:
    guess = did_you_mean(wanted, snapshot.tenants)
    return Refuse(
        ErrorCode.NOT_FOUND,
        public=f"There is no active tenant named {wanted[:100]}.{guess} `bascule tenants list` "
        "shows them, inactive ones included.",
        private="named a tenant that is not there, or not active",
    )


ControlPlane = Annotated[Control, Depends(_control_plane)]
ToolReader = Annotated[Caller, Depends(permitted("tools:list"))]
ToolWriter = Annotated[Caller, Depends(permitted("tools:write"))]
PolicyReader = Annotated[Caller, Depends(permitted("policies:read"))]
PolicyWriter = Annotated[Caller, Depends(permitted("policies:write"))]
MetricsReader = Annotated[Caller, Depends(permitted("metrics:read"))]
AuditReader = Annotated[Caller, Depends(permitted("audit:read"))]
ServerReader = Annotated[Caller, Depends(permitted("mcp:view_servers"))]
ServerManager = Annotated[Caller, Depends(permitted("mcp:manage_servers"))]
UserManager = Annotated[Caller, Depends(permitted("users:manage"))]
Anybody = Annotated[Caller, Depends(identified)]
SystemAdmin = Annotated[Caller, Depends(permitted("system_admin"))]
