"""What a caller of the REST API probably meant."""

from bascule.gateway.errors import NotFound
from bascule.gateway.snapshot import TenantView
from bascule.storage.suggestion import did_you_mean


def tool_missing(view: TenantView, name: str) -> NotFound:
    """The failure where no tool `name` is in force; names the closest one that is."""
    if name in view.disabled:
        return NotFound(
            f"The tool {name} is not in force: it is inactive, quarantined, or its bundle is.",
            details={"field": "tool"},
        )
    guess = did_you_mean(name, view.tools)
    return NotFound(f"There is no tool named {name} in force.{guess}", details={"field": "tool"})
