"""Who is asking, and whether they may: the dependencies every endpoint declares."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.correlation import correlation_id_of
from bascule.api.errors import Refused
from bascule.gateway.errors import Forbidden
from bascule.gateway.verdict import Refuse


def control_of(request: Request) -> Control:
    """The control plane behind `request`."""
    control: Control = request.app.state.control
    return control


def identified(request: Request) -> Caller:
    """The caller of `request`.

    Raises:
        Refused: 401 without a key in force.
    """
    control = control_of(request)
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    secret = credential.strip() if scheme.lower() == "bearer" else None
    known = control.authenticator.principal_for(secret, control.snapshot())
    if isinstance(known, Refuse):
        raise Refused(known)
    return Caller(known, correlation_id_of(request))


def permitted(permission: str) -> Callable[[Request], Caller]:
    """A dependency that lets through only holders of `permission`.

    Raises:
        Forbidden: 403, naming the permission.
    """

    def check(request: Request) -> Caller:
        caller = identified(request)
        if not caller.principal.may(permission):
            raise Forbidden(
                f"This needs the permission {permission}; ask an administrator for a role with it.",
                details={"permission": permission},
            )
        return caller

    return check


ControlPlane = Annotated[Control, Depends(control_of)]
AnyCaller = Annotated[Caller, Depends(identified)]
ToolReader = Annotated[Caller, Depends(permitted("tools:list"))]
ToolWriter = Annotated[Caller, Depends(permitted("tools:write"))]
PolicyReader = Annotated[Caller, Depends(permitted("policies:read"))]
PolicyWriter = Annotated[Caller, Depends(permitted("policies:write"))]
AuditReader = Annotated[Caller, Depends(permitted("audit:read"))]
UserManager = Annotated[Caller, Depends(permitted("users:manage"))]
