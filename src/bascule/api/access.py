"""Who is asking, and whether they may: the dependencies every endpoint declares."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from bascule.api.caller import Caller
from bascule.api.control import Control, Denial
from bascule.api.correlation import correlation_id_of
from bascule.api.errors import Refused, error_response
from bascule.gateway.errors import ErrorCode, Forbidden
from bascule.gateway.verdict import Refuse

OPENAPI_PATH: Final = "/api/openapi.json"
_GUARDED: Final = "/api/"

_documented = HTTPBearer(
    auto_error=False, description="An API key, as `bascule keys create` shows it."
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
        if scope["type"] == "http" and _needs_key(scope["path"]):
            request = Request(scope)
            try:
                _identify(self._control, request)
            except Refused as refused:
                self._control.note_denial(_denial(request, refused.code, refused.private))
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
    return _identify(control_of(request), request)


def permitted(permission: str) -> Callable[[Request, Caller], Awaitable[Caller]]:
    """A dependency that lets through only holders of `permission`.

    Raises:
        Forbidden: 403, naming the permission.
    """

    async def check(request: Request, caller: Annotated[Caller, Depends(identified)]) -> Caller:
        if not caller.principal.may(permission):
            denial = _denial(request, ErrorCode.FORBIDDEN, f"lacks {permission}", caller)
            control_of(request).note_denial(denial)
            raise Forbidden(
                f"This needs the permission {permission}; ask an administrator for a role with it.",
                details={"permission": permission},
            )
        return caller

    return check


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


def _needs_key(path: str) -> bool:
    return path.startswith(_GUARDED) and path != OPENAPI_PATH


def _identify(control: Control, request: Request) -> Caller:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    secret = credential.strip() if scheme.lower() == "bearer" else None
    known = control.authenticator.principal_for(secret, control.snapshot())
    if isinstance(known, Refuse):
        raise Refused(known)
    return Caller(known, correlation_id_of(request))


ControlPlane = Annotated[Control, Depends(_control_plane)]
ToolReader = Annotated[Caller, Depends(permitted("tools:list"))]
ToolWriter = Annotated[Caller, Depends(permitted("tools:write"))]
PolicyReader = Annotated[Caller, Depends(permitted("policies:read"))]
PolicyWriter = Annotated[Caller, Depends(permitted("policies:write"))]
AuditReader = Annotated[Caller, Depends(permitted("audit:read"))]
ServerReader = Annotated[Caller, Depends(permitted("mcp:view_servers"))]
ServerManager = Annotated[Caller, Depends(permitted("mcp:manage_servers"))]
UserManager = Annotated[Caller, Depends(permitted("users:manage"))]
SystemAdmin = Annotated[Caller, Depends(permitted("system_admin"))]
