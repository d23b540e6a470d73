"""Setting, listing and removing secrets. No value leaves this module but encrypted."""

from contextlib import suppress
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.resources.secrets.schemas import Resealed, Secret
from bascule.gateway.errors import Conflict, ErrorCode, GatewayError
from bascule.gateway.secrets import SealedSecret
from bascule.gateway.tool import Upstream
from bascule.storage.repositories.grants import OAuthClients, UserGrants
from bascule.storage.repositories.issuers import all_issuers
from bascule.storage.repositories.secrets import Secrets, StoredSecret
from bascule.storage.repositories.tenants import Tenant, Tenants
from bascule.storage.repositories.upstreams import Upstreams
from bascule.storage.tenancy import across_tenants
from bascule.upstreams.oauth.ports import Holder
from bascule.upstreams.oauth.sealing import (
    Place,
    open_client,
    open_tokens,
    seal_client,
    seal_tokens,
)
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.failures import SecretUnavailable
from bascule.upstreams.secrets.references import Kind, references_in


class NoKeys(GatewayError):
    """This process has no keys for secrets."""

    error = ErrorCode.UNAVAILABLE


async def list_secrets(control: Control, caller: Caller) -> list[Secret]:
    """Every secret of the caller's tenant, and who uses it."""
    async with control.read(caller) as rows:
        stored = await Secrets(rows.session, rows.tenant_id).list()
        users = await _users(rows)
    return [_shown(one, users) for one in stored]


async def set_secret(control: Control, caller: Caller, name: str, value: str) -> Secret:
    """Encrypt and store a secret; services that refer to it are shown it from now on."""
    sealed = _box(control).close(caller.tenant, name, value)
    async with control.change(caller, "secret.set", name) as rows:
        stored = await Secrets(rows.session, rows.tenant_id).put(sealed)
        users = await _users(rows)
    return _shown(stored, users)


async def remove_secret(control: Control, caller: Caller, name: str, *, force: bool) -> None:
    """Remove a secret.

    Raises:
        NotFound: there is none of that name.
        Conflict: services or issuers refer to it, and `force` is not set.
    """
    async with control.change(caller, "secret.remove", name) as rows:
        # First, so that of a secret that is not there nothing else is said; a refusal undoes it.
        await Secrets(rows.session, rows.tenant_id).delete(name)
        users = (await _users(rows)).get(name)
        if users and not force:
            raise Conflict(
                f"The secret {name} is used by {', '.join(users)}. Change these first, or force "
                "it: what needs it will fail.",
                details={"used_by": users},
            )


async def reseal_secrets(control: Control, caller: Caller) -> Resealed:
    """Bring every secret of every tenant under the first key; for system administrators only.

    So are the tokens that upstreams gave for callers; those that do not open are left: their
    callers are asked for consent again.

    Raises:
        Conflict: a secret does not open with any key; nothing is changed.
    """
    box = _box(control)
    count = 0
    async with (
        control.change(caller, "secret.reseal", "*", {"key_id": box.key_id}) as rows,
        across_tenants(rows.session, "the keys are the installation's"),
    ):
        for tenant in await Tenants(rows.session).list():
            secrets = Secrets(rows.session, tenant.id)
            for one in await secrets.list():
                if one.sealed.key_id != box.key_id:
                    await secrets.replace(_resealed(box, tenant.name, one))
                    count += 1
            count += await _reseal_grants(box, rows.session, tenant)
    return Resealed(resealed=count, key_id=box.key_id)


async def _reseal_grants(box: SecretBox, session: AsyncSession, tenant: Tenant) -> int:
    grants, clients = UserGrants(session, tenant.id), OAuthClients(session, tenant.id)
    count = 0
    for one in await grants.all():
        key = one.key
        place = Place(Holder(tenant.name, key.owner, key.upstream), key.issuer, key.resource)
        if one.sealed.key_id != box.key_id:
            with suppress(SecretUnavailable):
                tokens = open_tokens(box, place, one.sealed)
                await grants.reseal(one.id, seal_tokens(box, place, tokens))
                count += 1
    for client in await clients.all():
        if client.sealed.key_id != box.key_id:
            with suppress(SecretUnavailable):
                secret = open_client(box, tenant.name, client.issuer, client.sealed)
                sealed = seal_client(box, tenant.name, client.issuer, secret)
                await clients.put(replace(client, sealed=sealed))
                count += 1
    return count


def _resealed(box: SecretBox, tenant: str, stored: StoredSecret) -> SealedSecret:
    sealed = stored.sealed
    try:
        value = box.open(tenant, sealed)
    except SecretUnavailable as failure:
        raise Conflict(failure.private, details={"secret": sealed.name}) from None
    return box.close(tenant, sealed.name, value, sealed.version)


def _box(control: Control) -> SecretBox:
    if control.box is None:
        raise NoKeys("No keys for secrets are set up here. Set security.secret_keys.")
    return control.box


async def _users(rows: Rows) -> dict[str, list[str]]:
    users: dict[str, list[str]] = {}
    for stored in await Upstreams(rows.session, rows.tenant_id).list():
        for name in _used(stored.upstream):
            users.setdefault(name, []).append(stored.upstream.name)
    for one in await all_issuers(rows.session):
        if one.tenant_id == rows.tenant_id:
            for name in _names(one.issuer.client_secret + one.issuer.shared_secret):
                users.setdefault(name, []).append(f"issuer {one.issuer.name}")
    return users


def _used(upstream: Upstream) -> set[str]:
    connector = upstream.connector
    texts = [value for _, value in upstream.headers]
    for way in (connector.credentials, connector.exchange, connector.user_grants):
        if way is not None:
            texts += [way.client_id, way.client_secret]
    if connector.tls is not None:
        texts += [connector.tls.certificate, connector.tls.key, connector.tls.authorities]
    return {name for text in texts for name in _names(text)}


def _names(text: str) -> list[str]:
    try:
        found = references_in(text)
    except ValueError:
        return []
    return [one.name for one in found if one.kind is Kind.STORED]


def _shown(stored: StoredSecret, users: dict[str, list[str]]) -> Secret:
    sealed = stored.sealed
    return Secret(
        name=sealed.name,
        version=sealed.version,
        key_id=sealed.key_id,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        updated_by=stored.updated_by,
        used_by=users.get(sealed.name, []),
    )
