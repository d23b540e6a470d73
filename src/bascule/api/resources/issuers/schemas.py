"""Issuers as the REST API shows and takes them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from bascule.api.bodies import Body
from bascule.identity.presets import Preset

IssuerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""It stands before each of its subjects in records, with a colon after it."""
Text = Annotated[str, Field(max_length=500, pattern=r"^[\x20-\x7e]*$")]
Url = Annotated[str, Field(min_length=1, max_length=500)]
Word = Annotated[str, Field(min_length=1, max_length=300)]
Words = Annotated[list[Word], Field(max_length=200)]
Claims = Annotated[list[Word], Field(max_length=32)]
Tenants = Annotated[dict[Word, Word], Field(max_length=10_000)]
WordsByWord = Annotated[dict[Word, Words], Field(max_length=500)]


class IssuerWrite(Body):
    """An issuer as it is to be. What is left out is as `preset` has it.

    Claims are named by paths such as `realm_access.roles`. `tenant` is yours where it is left
    out. Secrets are references, such as `${secret:NAME}`.
    """

    name: IssuerName
    issuer: Url
    tenant: Annotated[str, Field(max_length=100)] = ""
    preset: Preset = Preset.GENERIC
    namespace: Text = ""
    is_active: bool = True
    audiences: Words = Field(default_factory=list[str])
    jwks_url: Annotated[str, Field(max_length=2000)] = ""
    algorithms: Annotated[list[Word], Field(min_length=1, max_length=16)] | None = None
    shared_secret: Text = ""
    audience_claims: Claims | None = None
    subject_claim: Word | None = None
    name_claims: Claims | None = None
    agent_claims: Claims | None = None
    roles_claims: Claims | None = None
    groups_claims: Claims | None = None
    scope_claims: Claims | None = None
    required_claims: WordsByWord | None = None
    role_map: WordsByWord = Field(default_factory=dict[str, list[str]])
    default_roles: Words = Field(default_factory=list[str])
    scopes: WordsByWord = Field(default_factory=dict[str, list[str]])
    tenant_claim: Annotated[str, Field(max_length=300)] = ""
    tenants: Tenants = Field(default_factory=dict[str, str])
    client_id: Text = ""
    client_secret: Text = ""
    sign_in_scopes: Claims | None = None


class KeySet(BaseModel):
    """How an issuer's keys stand in the process that answers; it asks nobody for this."""

    keys: Annotated[int, Field(description="How many keys of the issuer count now.")]
    fetched_at: Annotated[
        datetime | None,
        Field(description="When they were last fetched, in UTC; null where they never were."),
    ]
    age_seconds: Annotated[int | None, Field(description="How long ago that was, in seconds.")]
    is_stale: Annotated[
        bool,
        Field(
            description="Whether keys are in use that are older than `identity.jwks_seconds`, "
            "since the issuer could not be asked."
        ),
    ]
    usable_until: Annotated[
        datetime | None,
        Field(
            description="When they end if the issuer is not reached until then, in UTC "
            "(`identity.stale_jwks_seconds`); null without keys."
        ),
    ]
    failures: Annotated[
        int,
        Field(description="Fetches that failed since the last that brought keys; counted to 10."),
    ]
    last_error: Annotated[
        str,
        Field(
            description="Why the last fetch that failed did so, even if a later one brought keys; "
            "empty where none failed."
        ),
    ]
    last_error_at: Annotated[
        datetime | None, Field(description="When that was, in UTC; null where none failed.")
    ]


class Issuer(BaseModel):
    """An issuer whose tokens are accepted, unless it is inactive."""

    name: str
    issuer: str
    tenant: str
    is_active: bool
    audiences: list[str]
    jwks_url: str
    algorithms: list[str]
    shared_secret: str
    audience_claims: list[str]
    subject_claim: str
    name_claims: list[str]
    agent_claims: list[str]
    roles_claims: list[str]
    groups_claims: list[str]
    scope_claims: list[str]
    required_claims: dict[str, list[str]]
    role_map: dict[str, list[str]]
    default_roles: list[str]
    scopes: dict[str, list[str]]
    tenant_claim: str
    tenants: dict[str, str]
    client_id: str
    client_secret: str
    sign_in_scopes: list[str]
    key_set: Annotated[
        KeySet | None,
        Field(
            description="Its keys as the process that answers has them; null where it accepts no "
            "tokens, or the issuer signs with a shared secret alone."
        ),
    ]
    created_at: datetime
    updated_at: datetime
    updated_by: str


class IssuerList(BaseModel):
    """Every issuer of every tenant, by name."""

    issuers: list[Issuer]
    total: int


class IssuerRemoved(BaseModel):
    """The issuer that is gone."""

    removed: str


class IssuerStatus(Body):
    """Whether its tokens are accepted."""

    is_active: bool


class IssuerKey(BaseModel):
    """A key of an issuer; "" for what its set does not say."""

    key_id: str
    kind: str
    algorithm: str


class IssuerSecret(BaseModel):
    """A secret of an issuer's record, read as calls and sign-ins read it; its value is not shown.

    `field` is `shared_secret` or `client_secret`, `reference` what the record has.
    """

    field: str
    reference: str
    is_usable: bool


class IssuerTest(BaseModel):
    """What an issuer answered just now. `problems` say what is wrong, and what to do."""

    ok: bool
    issuer: str
    jwks_url: str
    keys: list[IssuerKey]
    algorithms: list[str]
    """Those accepted here."""
    secrets: list[IssuerSecret]
    problems: list[str]


class TokenToExplain(Body):
    """An access token. It is neither logged nor stored, and is not accepted by this."""

    token: Annotated[str, Field(min_length=1, max_length=20_000, repr=False)]


class Bearer(BaseModel):
    """Who bears a token, and what they may do."""

    tenant: str
    subject: str
    display: str
    agent: str | None
    user_id: str | None
    claimed_roles: list[str]
    claimed_groups: list[str]
    claimed_scopes: list[str]
    roles: list[str]
    permissions: list[str]
    withheld: list[str]
    """What the roles permit, and the token's scopes do not."""
    good_at: list[str]
    """Paths of the endpoints it is good at; empty for everywhere."""
    bound_to_certificate: str
    """The SHA-256 of the client certificate that must come with it; "" for none."""
    expires_at: datetime | None
    notes: list[str]


class TokenExplained(BaseModel):
    """What became of a token: accepted, or exactly why not."""

    accepted: bool
    code: str
    """The error code its bearer gets; "" where it is accepted."""
    reason: str
    """The class of the refusal; "" where it is accepted."""
    explanation: str
    told: str
    """What its bearer is told; "" where it is accepted."""
    algorithm: str
    key_id: str | None
    claims: dict[str, Any]
    """Those that are read here, by the path; anybody may have written them where it is refused."""
    bearer: Bearer | None
