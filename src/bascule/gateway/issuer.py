"""Whom this installation believes: issuers of tokens, and what client certificates stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Issuer:
    """An OpenID provider or OAuth authorization server whose access tokens are accepted.

    Claims are named by paths with dots between the members, such as `realm_access.roles`; a claim
    whose own name has dots is named as it is. Of several names for one thing, the first that a
    token has counts; roles and groups are gathered from all.
    """

    name: str
    issuer: str
    """The `iss` of its tokens, compared character by character (RFC 9207, section 2.4)."""
    tenant: str
    """Where its subjects belong, unless `tenant_claim` says otherwise."""
    audiences: tuple[str, ...] = ()
    """What `aud` must name; empty for the address of this gateway (RFC 8707)."""
    audience_claims: tuple[str, ...] = ("aud",)
    """Amazon Cognito's access tokens name their audience in `client_id`."""
    jwks_url: str = ""
    """Where its keys are; empty to discover it (RFC 8414, OpenID Connect Discovery 1.0)."""
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    shared_secret: str = ""
    """A reference to a secret for HS256: development only."""
    subject_claim: str = "sub"
    name_claims: tuple[str, ...] = ("preferred_username", "email", "name")
    agent_claims: tuple[str, ...] = ("act.sub", "azp", "client_id", "appid")
    roles_claims: tuple[str, ...] = ()
    groups_claims: tuple[str, ...] = ()
    scope_claims: tuple[str, ...] = ("scope", "scp")
    required_claims: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict[str, tuple[str, ...]]
    )
    """Claims a token must have, and what values are accepted; none named: any."""
    role_map: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Roles of the tenant by a claimed role; what is not named here brings nothing."""
    default_roles: tuple[str, ...] = ()
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Permissions by scope. Where there are any, a token has no more than its scopes bring."""
    tenant_claim: str = ""
    tenants: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tenants by the value of `tenant_claim`; a value that is not named is refused."""
    client_id: str = ""
    """This gateway's own registration there, for people who sign in to the console."""
    client_secret: str = ""
    """A reference to its secret; empty for a public client."""
    sign_in_scopes: tuple[str, ...] = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True)
class CertificateRule:
    """Which client certificates are known, and as whom.

    `pattern` is held (`fnmatch`, case-sensitive) against each alternative name, as in
    `URI:spiffe://example.org/agents/*`, against `SUBJECT:` and the subject, and `SHA256:` and the
    digest in hex. `issuer` must be the certificate's where it is set.
    """

    name: str
    tenant: str
    pattern: str
    roles: tuple[str, ...]
    issuer: str = ""
