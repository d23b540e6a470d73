"""Metrics, as the composition root hands them over."""

import re
from typing import Final

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.gateway.errors import NotFound

# Exposition format of Prometheus: name{label="value",…}, with \\, \" and \n in a value.
_TENANT: Final = re.compile(
    rb'[a-zA-Z0-9_:]+\{(?:[^"}]*"(?:[^"\\]|\\.)*",)*?tenant="((?:[^"\\]|\\.)*)"'
)
_NOBODYS: Final = (b"#", b"bascule_build", b"bascule_audit_healthy")
"""What the lines begin with that count nobody's calls."""


def render(control: Control, caller: Caller, accept: str) -> tuple[str, bytes]:
    """All metrics, with their content type; others than the tenant's own, and what counts
    everybody's calls, for system administrators only.

    Raises:
        NotFound: there are none, because `observability.metrics_enabled` is off.
    """
    if control.metrics is None:
        raise NotFound("Metrics are off here; observability.metrics_enabled turns them on.")
    kind, body = control.metrics(accept)
    if not caller.principal.may("system_admin"):
        own = _escaped(caller.tenant)
        lines = body.split(b"\n")
        body = b"\n".join(
            one for one in lines if not one or one.startswith(_NOBODYS) or _tenant(one) == own
        )
    return kind, body


def _tenant(line: bytes) -> bytes | None:
    found = _TENANT.match(line)
    return None if found is None else found[1]


def _escaped(value: str) -> bytes:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"').encode()
