"""Tokens as the products document them, through the records that their presets make."""

from typing import Any

import pytest

from bascule.gateway.issuer import Issuer
from bascule.identity.presets import Preset, fields_of, objection
from bascule.identity.verifying import Verified
from fakes.issuers import NOW, FakeIssuer, sign, tokens_of

DIRECTORY = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
ENTRA = f"https://login.microsoftonline.com/{DIRECTORY}/v2.0"
ENTRA_1 = f"https://sts.windows.net/{DIRECTORY}/"
COGNITO = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example"
AUTH0 = "https://acme.eu.auth0.com/"
KEYCLOAK = "https://sso.example/realms/acme"
APP = "00001111-aaaa-2222-bbbb-3333cccc4444"


def record(preset: Preset, url: str, *audiences: str, namespace: str = "", **more: Any) -> Issuer:
    fields: dict[str, Any] = dict(fields_of(preset, url, audiences, namespace))
    usual = {"name": "id", "issuer": url, "tenant": "acme", "audiences": audiences}
    return Issuer(**{**usual, **fields, **more})


async def outcome(issuer: Issuer, claims: dict[str, Any], kind: str = "JWT") -> Any:
    """What is verified of a token with `claims`, or the private reason why not."""
    provider = FakeIssuer(url=issuer.issuer)
    if issuer.issuer.endswith("/"):
        provider = FakeIssuer(url=issuer.issuer.rstrip("/"))
        provider.describe(issuer=issuer.issuer, jwks_uri=f"{provider.url}/keys")
    token = sign({"alg": "RS256", "kid": "k0", "typ": kind}, claims)
    found = await tokens_of(provider).verifier.verify(token, {issuer.issuer: issuer})
    return found.reading if isinstance(found, Verified) else found.private


def entra(**changes: Any) -> dict[str, Any]:
    """An access token of version 2.0, as the reference of its claims has it."""
    return _with(
        {
            "aud": APP,
            "iss": ENTRA,
            "iat": NOW,
            "nbf": NOW,
            "exp": NOW + 3600,
            "aio": "AXQAi/8IAAAA",
            "azp": "bbbbcccc-1111-dddd-2222-eeee3333ffff",
            "azpacr": "0",
            "groups": ["eeeeffff-4444-aaaa-5555-bbbb6666cccc"],
            "name": "Ann Example",
            "oid": "ffffaaaa-5555-bbbb-6666-cccc7777dddd",
            "preferred_username": "ann@contoso.example",
            "rh": "0.AA",
            "roles": ["Tools.User"],
            "scp": "tools.call tools.list",
            "sub": "frHUdDK_-CGPGIz6BhA",
            "tid": DIRECTORY,
            "uti": "fqiBqXLPj0eQa82S",
            "ver": "2.0",
        },
        changes,
    )


def _with(usual: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in {**usual, **changes}.items() if one is not None}


async def test_entra_id_calls_its_users_by_their_object_id() -> None:
    issuer = record(Preset.ENTRA, ENTRA, APP, role_map={"Tools.User": ("user",)})
    reading = await outcome(issuer, entra())
    evidence = reading.evidence
    assert evidence.subject == "ffffaaaa-5555-bbbb-6666-cccc7777dddd"
    assert evidence.display == "ann@contoso.example"
    assert evidence.agent == "bbbbcccc-1111-dddd-2222-eeee3333ffff"
    assert evidence.roles == {"user"}
    assert evidence.groups == {"eeeeffff-4444-aaaa-5555-bbbb6666cccc"}
    assert reading.claimed_scopes == {"tools.call", "tools.list"}
    assert evidence.credential_id == "fqiBqXLPj0eQa82S"
    assert reading.notes == ()


async def test_entra_id_with_too_many_groups_for_a_token_brings_none() -> None:
    claims = entra(
        groups=None,
        _claim_names={"groups": "src1"},
        _claim_sources={"src1": {"endpoint": "https://graph.microsoft.com/v1.0/users/x"}},
    )
    reading = await outcome(record(Preset.ENTRA, ENTRA, APP), claims)
    assert reading.evidence.groups == frozenset()
    assert "overage" in reading.notes[0]


async def test_entra_id_of_version_one_has_other_names() -> None:
    claims = entra(
        iss=ENTRA_1,
        aud="api://tools",
        ver="1.0",
        azp=None,
        azpacr=None,
        appid="bbbbcccc-1111",
        appidacr="1",
        preferred_username=None,
        upn="ann@contoso.example",
        unique_name="ann@contoso.example",
    )
    reading = await outcome(record(Preset.ENTRA, ENTRA_1, "api://tools"), claims)
    assert reading.evidence.agent == "bbbbcccc-1111"
    assert reading.evidence.display == "ann@contoso.example"


async def test_entra_id_of_an_application_alone_is_that_application() -> None:
    claims = entra(scp=None, groups=None, preferred_username=None, name=None, idtyp="app")
    reading = await outcome(record(Preset.ENTRA, ENTRA, APP), claims)
    assert reading.evidence.subject == "ffffaaaa-5555-bbbb-6666-cccc7777dddd"
    assert reading.evidence.display == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tid": "99999999-0000-cccc-1111-dddd2222eeee"}, "tid is"),
        ({"oid": None}, "oid is"),
        # An ID token of the same application: no nonce, the same audience, but nobody asked for it.
        ({"azp": None, "azpacr": None, "scp": None}, "azp is absent"),
        ({"nonce": "n"}, "an ID token"),
        ({"aud": "00000003-0000-0000-c000-000000000000"}, "its audience is"),
    ],
)
async def test_entra_id_of_another_kind_or_directory_is_refused(
    changes: dict[str, Any], reason: str
) -> None:
    assert reason in await outcome(record(Preset.ENTRA, ENTRA, APP), entra(**changes))


def cognito(**changes: Any) -> dict[str, Any]:
    """An access token of a user pool."""
    return _with(
        {
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "device_key": "aaaaaaaa",
            "cognito:groups": ["admin", "staff"],
            "iss": COGNITO,
            "version": 2,
            "client_id": "xxxxxxxxxxxxexample",
            "origin_jti": "aaaaaaaa",
            "event_id": "aaaaaaaa",
            "token_use": "access",
            "scope": "phone openid tools/call",
            "auth_time": NOW - 5,
            "exp": NOW + 3600,
            "iat": NOW,
            "jti": "jti-1",
            "username": "ann@example.com",
        },
        changes,
    )


async def test_cognito_names_its_audience_in_client_id() -> None:
    issuer = record(Preset.COGNITO, COGNITO, "xxxxxxxxxxxxexample", role_map={"staff": ("user",)})
    reading = await outcome(issuer, cognito(), "")
    evidence = reading.evidence
    assert (evidence.display, evidence.agent) == ("ann@example.com", "xxxxxxxxxxxxexample")
    assert evidence.groups == {"admin", "staff"}
    assert evidence.roles == {"user"}
    assert reading.claimed_scopes == {"phone", "openid", "tools/call"}


async def test_cognito_bound_to_a_resource_names_that() -> None:
    issuer = record(Preset.COGNITO, COGNITO)
    reading = await outcome(issuer, cognito(aud="https://tools.example/mcp"), "")
    assert reading.evidence.tenant == "acme"
    assert "its audience is" in await outcome(issuer, cognito(aud="https://other.example"), "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token_use": "id", "client_id": None, "aud": "xxxxxxxxxxxxexample"}, "token_use is id"),
        ({"token_use": None}, "token_use is absent"),
        ({"client_id": "another"}, "its audience is"),
    ],
)
async def test_cognito_of_another_kind_or_app_is_refused(
    changes: dict[str, Any], reason: str
) -> None:
    issuer = record(Preset.COGNITO, COGNITO, "xxxxxxxxxxxxexample")
    assert reason in await outcome(issuer, cognito(**changes), "")


def auth0(**changes: Any) -> dict[str, Any]:
    """An access token for an API, with what an action adds under the tenant's own names."""
    return _with(
        {
            "iss": AUTH0,
            "sub": "auth0|123456",
            "aud": ["https://tools.example/mcp", "https://acme.eu.auth0.com/userinfo"],
            "azp": "my_client_id",
            "exp": NOW + 3600,
            "iat": NOW,
            "scope": "openid profile read:tools",
            "permissions": ["read:tools"],
            "https://acme.example/roles": ["editor"],
            "https://acme.example/email": "ann@acme.example",
            "https://acme.example/groups": ["sales"],
        },
        changes,
    )


async def test_auth0_has_permissions_and_the_tenants_own_claims() -> None:
    issuer = record(
        Preset.AUTH0,
        AUTH0,
        namespace="https://acme.example",
        role_map={"editor": ("developer",), "read:tools": ("user",)},
    )
    reading = await outcome(issuer, auth0())
    evidence = reading.evidence
    assert evidence.subject == "auth0|123456"
    assert (evidence.display, evidence.agent) == ("ann@acme.example", "my_client_id")
    assert evidence.roles == {"developer", "user"}
    assert evidence.groups == {"sales"}


async def test_auth0_by_rfc_9068_and_without_names_of_its_own() -> None:
    issuer = record(Preset.AUTH0, AUTH0, role_map={"read:tools": ("user",)})
    claims = auth0(azp=None, client_id="my_client_id", jti="j")
    reading = await outcome(issuer, claims, "at+jwt")
    assert reading.evidence.agent == "my_client_id"
    assert reading.claimed_roles == {"read:tools"}


async def test_auth0_of_a_sign_in_is_refused() -> None:
    issuer = record(Preset.AUTH0, AUTH0)
    claims = auth0(aud="my_client_id", permissions=None, scope=None, nonce="n")
    assert "an ID token" in await outcome(issuer, claims)
    del claims["nonce"]
    assert "its audience is" in await outcome(issuer, claims)


def keycloak(**changes: Any) -> dict[str, Any]:
    """An access token with an audience mapper, as a realm makes it."""
    return _with(
        {
            "exp": NOW + 300,
            "iat": NOW,
            "auth_time": NOW,
            "jti": "onrtac:2b9d",
            "iss": KEYCLOAK,
            "aud": ["tools", "account"],
            "sub": "f:1:ann",
            "typ": "Bearer",
            "azp": "agent-ui",
            "sid": "s-1",
            "acr": "1",
            "allowed-origins": ["https://ui.example"],
            "realm_access": {"roles": ["offline_access", "staff"]},
            "resource_access": {
                "tools": {"roles": ["maker"]},
                "account": {"roles": ["manage-account"]},
            },
            "scope": "openid profile email",
            "email_verified": True,
            "name": "Ann Example",
            "groups": ["/sales"],
            "preferred_username": "ann",
            "email": "ann@acme.example",
        },
        changes,
    )


async def test_keycloak_has_roles_of_the_realm_and_of_the_client() -> None:
    role_map = {"staff": ("user",), "maker": ("developer",), "manage-account": ("admin",)}
    reading = await outcome(
        record(Preset.KEYCLOAK, KEYCLOAK, "tools", role_map=role_map), keycloak()
    )
    evidence = reading.evidence
    assert evidence.roles == {"user", "developer"}, "roles of other clients bring nothing"
    assert (evidence.display, evidence.agent) == ("ann", "agent-ui")
    assert evidence.groups == {"/sales"}


async def test_keycloak_before_version_24_puts_a_nonce_into_access_tokens() -> None:
    reading = await outcome(record(Preset.KEYCLOAK, KEYCLOAK, "tools"), keycloak(nonce="n"))
    assert reading.evidence.subject == "f:1:ann"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "account"}, "its audience is"),
        ({"typ": "ID", "at_hash": "h"}, "claim typ is 'ID'"),
        ({"typ": "Refresh"}, "claim typ is 'Refresh'"),
        ({"typ": "DPoP", "cnf": {"jkt": "x"}}, "bound by cnf"),
        ({"typ": None}, "typ is absent"),
    ],
)
async def test_keycloak_of_another_kind_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert reason in await outcome(record(Preset.KEYCLOAK, KEYCLOAK, "tools"), keycloak(**changes))


async def test_keycloak_clients_named_by_a_url_have_no_roles_of_their_own() -> None:
    fields = fields_of(Preset.KEYCLOAK, KEYCLOAK, ("https://tools.example/mcp", "my.tools"))
    assert fields["roles_claims"] == ("realm_access.roles", "resource_access.my.tools.roles")


def test_entra_id_of_a_directory_that_cannot_be_read_asks_for_none() -> None:
    fields = fields_of(Preset.ENTRA, "https://login.microsoftonline.com/common/v2.0")
    assert fields["required_claims"] == {"azp": ()}


def test_generic_reads_roles_and_groups_where_most_have_them() -> None:
    assert fields_of(Preset.GENERIC, "https://id.example") == {
        "roles_claims": ("roles",),
        "groups_claims": ("groups",),
    }


@pytest.mark.parametrize(
    ("preset", "issuer"),
    [
        (Preset.ENTRA, ENTRA),
        (Preset.ENTRA, ENTRA_1),
        (Preset.ENTRA, f"https://{DIRECTORY}.ciamlogin.com/{DIRECTORY}/v2.0"),
        (Preset.COGNITO, COGNITO),
        (Preset.AUTH0, AUTH0),
        (Preset.KEYCLOAK, KEYCLOAK),
        (Preset.KEYCLOAK, "http://127.0.0.1:8080/auth/realms/acme"),
        (Preset.GENERIC, "https://id.example"),
    ],
)
def test_an_issuer_as_its_product_writes_it_is_fine(preset: Preset, issuer: str) -> None:
    assert objection(preset, issuer) is None


@pytest.mark.parametrize(
    ("preset", "issuer", "advice"),
    [
        (Preset.ENTRA, "https://login.microsoftonline.com/common/v2.0", "never common"),
        (Preset.ENTRA, f"https://login.microsoftonline.com/{DIRECTORY}", "/v2.0"),
        (Preset.ENTRA, ENTRA + "/", "/v2.0"),
        (Preset.COGNITO, "https://acme.auth.us-east-1.amazoncognito.com", "cognito-idp"),
        (Preset.AUTH0, "https://acme.eu.auth0.com", "https://acme.eu.auth0.com/"),
        (Preset.KEYCLOAK, "https://sso.example", "/realms/"),
        (Preset.KEYCLOAK, KEYCLOAK + "/", "without a slash"),
        (Preset.GENERIC, "http://id.example", "https://"),
        (Preset.GENERIC, "https://id.example?x=1", "no query"),
    ],
)
def test_a_usual_mistake_is_told_with_what_to_write(
    preset: Preset, issuer: str, advice: str
) -> None:
    assert advice in str(objection(preset, issuer))
