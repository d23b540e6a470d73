"""There is no repository without a tenant."""

import inspect
from importlib import import_module
from pkgutil import iter_modules
from uuid import uuid4

import pytest

from bascule.storage import repositories
from bascule.storage.database import Database
from bascule.storage.repositories.scope import Scoped, TenantId
from bascule.storage.tenancy import TenantsMixed

_MODULES = [
    import_module(f"{repositories.__name__}.{module.name}")
    for module in iter_modules(repositories.__path__)
]
# The one that gives tenant ids out.
_UNSCOPED = {"Tenants"}


def _repositories() -> list[type]:
    return [
        kind
        for module in _MODULES
        for kind in vars(module).values()
        if inspect.isclass(kind) and kind.__module__ == module.__name__ and _takes_session(kind)
    ]


def _takes_session(kind: type) -> bool:
    return "session" in inspect.signature(kind).parameters


def test_every_repository_is_known_to_this_test() -> None:
    assert {kind.__name__ for kind in _repositories()} == {
        "Administrators", "Bundles", "CertificateRules", "ChatMessages", "Conversations",
        "DeletedConversations", "Elevations", "Finder", "Groups", "Holdings", "Imports",
        "Issuers", "Keys", "OAuthClients", "Pins", "Policies",
        "PolicyChanges", "PolicyDrafts", "PolicyTests", "Publications", "Risks", "Roles", "Scoped",
        "Secrets", "Selections", "Sessions", "Standards", "Surveys", "Tenants", "ToolEdits",
        "Tools", "Upstreams", "UserGrants", "Users",
    }  # fmt: skip


@pytest.mark.parametrize("kind", _repositories(), ids=lambda kind: kind.__name__)
def test_a_repository_cannot_be_made_without_a_tenant(kind: type) -> None:
    if kind.__name__ in _UNSCOPED:
        return
    assert issubclass(kind, Scoped)
    parameter = inspect.signature(kind).parameters["tenant_id"]
    assert parameter.default is inspect.Parameter.empty
    assert parameter.annotation is TenantId


@pytest.mark.parametrize("kind", _repositories(), ids=lambda kind: kind.__name__)
async def test_a_repository_makes_its_session_one_of_its_tenant(
    database: Database, kind: type
) -> None:
    if kind.__name__ in _UNSCOPED:
        return
    async with database.read() as session:
        owner = ("user|1",) if "owner" in inspect.signature(kind).parameters else ()
        kind(session, TenantId(uuid4()), *owner)
        with pytest.raises(TenantsMixed):
            kind(session, TenantId(uuid4()), *owner)
