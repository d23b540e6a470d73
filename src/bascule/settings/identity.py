"""Who may come in, and what protects what they carry."""

from typing import Annotated

from pydantic import Field

from bascule.settings.secret import Password
from bascule.settings.section import Section, setting
from bascule.settings.values import SecretKey, ServiceUrl


class Identity(Section):
    """Who may come in, and for how long. Issuers, roles and people are in the database."""

    local_accounts: bool = setting(
        True,  # noqa: FBT003 - the default of the setting
        "Let people sign in with a name and a password of this installation.",
    )
    min_password_characters: Annotated[int, Field(ge=8, le=128)] = setting(
        12, "Shortest password that is accepted.", unit="characters"
    )
    session_idle_minutes: Annotated[int, Field(ge=1, le=10_080)] = setting(
        30, "Time without a request after which a person must sign in again.", unit="minutes"
    )
    session_hours: Annotated[int, Field(ge=1, le=720)] = setting(
        12, "Time after which a person must sign in again in any case.", unit="hours"
    )
    sign_in_attempts: Annotated[int, Field(ge=1, le=1000)] = setting(
        5,
        "Wrong passwords for one account, and ten times as many from one address, within 15 "
        "minutes, after which further attempts wait. Ten times as many people of an issuer may "
        "come to a tenant for the first time from one address, a hundred times as many in all.",
        unit="attempts",
    )
    clock_skew_seconds: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = setting(
        30.0, "How far the clocks of issuers may be off.", unit="seconds"
    )
    jwks_seconds: Annotated[float, Field(ge=10, le=86_400, allow_inf_nan=False)] = setting(
        600.0, "Age at which the keys of an issuer are fetched again.", unit="seconds"
    )
    stale_jwks_seconds: Annotated[float, Field(ge=0, le=604_800, allow_inf_nan=False)] = setting(
        86_400.0,
        "Age up to which the keys of an issuer are used while it cannot be reached.",
        unit="seconds",
    )
    max_tokens: Annotated[int, Field(ge=0, le=10_000_000)] = setting(
        50_000,
        "Verified access tokens kept, per process; 0 verifies each call anew.",
        unit="tokens",
    )


class Security(Section):
    """What protects the handles that clients carry, and the secrets that upstreams are shown."""

    sealing_keys: Annotated[tuple[SecretKey, ...], Field(max_length=16)] = setting(
        (),
        "Keys that protect session ids, cursors and other handles given to clients. The first "
        "seals, all of them open: to rotate, put a new one in front and remove the old one a "
        "`server.session_hours` later. Empty means a key of its own in the data directory, so "
        "gateways that share clients must be given the same keys.",
        accepts="up to 16 keys of 64 hexadecimal digits, each as a reference",
    )
    secret_keys: Annotated[tuple[SecretKey, ...], Field(max_length=16)] = setting(
        (),
        "Keys that protect the secrets kept in the database. The first encrypts, all of them "
        "decrypt: to rotate, put a new one in front, run `bascule secrets reseal`, and remove the "
        "old one. Empty means a key of its own in the data directory, so gateways that share a "
        "database must be given the same keys.",
        accepts="up to 16 keys of 64 hexadecimal digits, each as a reference",
    )
    vault_url: ServiceUrl = setting(
        "",
        "Address of HashiCorp Vault or OpenBao, for references such as "
        "`${vault:mount/path#field}`; empty for none.",
        accepts="an http:// or https:// URL, or nothing",
    )
    vault_token: Password = setting(
        Password(""), "Token for Vault.", accepts="a token, as a reference, or nothing"
    )
    vault_token_file: str = setting(
        "",
        "File with the token for Vault, read whenever one is needed: for tokens that are renewed "
        "by an agent. It goes before `security.vault_token`.",
        accepts="a path, or nothing",
    )
    vault_namespace: str = setting(
        "", "Namespace in Vault; empty for the root.", accepts="a namespace, or nothing"
    )
