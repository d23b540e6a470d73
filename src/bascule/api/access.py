"""Who is asking, and whether they may: the dependencies every endpoint declares."""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.correlation import correlation_id_of
from bascule.api.errors import Refused, error_response
from bascule.gateway.errors import Forbidden
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
                app = error_response(request, refused.code, refused.public, refused.details)
        await app(scope, receive, send)


def control_of(request: Request) -> Control:
    """The control plane behind `request`."""
    control: Control = request.app.state.control
    return control


def identified(request: Request, _documents: Annotated[object, Depends(_documented)]) -> Caller:
    """The caller of `request`.

    Raises:
        Refused: 401 without a key in force.
    """
    return _identify(control_of(request), request)


def permitted(permission: str) -> Callable[[Caller], Caller]:
    """A dependency that lets through only holders of `permission`.

    Raises:
        Forbidden: 403, naming the permission.
    """

    def check(caller: Annotated[Caller, Depends(identified)]) -> Caller:
        if not caller.principal.may(permission):
            raise Forbidden(
                f"This needs the permission {permission}; ask an administrator for a role with it.",
                details={"permission": permission},
            )
        return caller

    return check


def _needs_key(path: str) -> bool:
    return path.startswith(_GUARDED) and path != OPENAPI_PATH


def _identify(control: Control, request: Request) -> Caller:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    secret = credential.strip() if scheme.lower() == "bearer" else None
    known = control.authenticator.principal_for(secret, control.snapshot())
    if isinstance(known, Refuse):
        raise Refused(known)
    return Caller(known, correlation_id_of(request))


ControlPlane = Annotated[Control, Depends(control_of)]
ToolReader = Annotated[Caller, Depends(permitted("tools:list"))]
ToolWriter = Annotated[Caller, Depends(permitted("tools:write"))]
PolicyReader = Annotated[Caller, Depends(permitted("policies:read"))]
PolicyWriter = Annotated[Caller, Depends(permitted("policies:write"))]
AuditReader = Annotated[Caller, Depends(permitted("audit:read"))]
UserManager = Annotated[Caller, Depends(permitted("users:manage"))]
