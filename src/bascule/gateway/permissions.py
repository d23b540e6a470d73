"""What a role can permit: every permission there is, and what it lets its holder do."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

APPROVE: Final = "elevations:approve"
SYSTEM_ADMIN: Final = "system_admin"
"""Holds every other permission, in every tenant."""
USERS_MANAGE: Final = "users:manage"

PERMISSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tools:list": "See the tools, prompts and resources that the rules show.",
        "tools:execute": "Call tools, get prompts and read resources that the rules allow.",
        "tools:write": "Import, edit, publish and delete tools and bundles.",
        "policies:read": "Read access rules and standards.",
        "policies:write": "Make, change and remove access rules and standards.",
        APPROVE: "Decide about other people's requests for elevation, and revoke grants.",
        "audit:read": "Read the audit records of the tenant.",
        "metrics:read": "Read figures of use and performance.",
        USERS_MANAGE: "Manage the tenant's users, roles, groups and API keys.",
        "mcp:view_servers": "See servers and other upstreams, their health and pins.",
        "mcp:manage_servers": "Add, change, check and remove servers, upstreams and secrets.",
        "mcp:view_events": "See what happened to servers.",
        "mcp:manage_config": "Change, back up and restore the configuration of servers.",
        "mcp:view_logs": "Read the logs of servers.",
        "mcp:bulk_operations": "Start, stop, restart and delete many servers at once.",
        SYSTEM_ADMIN: "Do everything in every tenant; manage tenants and who is let in.",
    }
)
"""Permission to what it means, in the order in which they are shown."""
