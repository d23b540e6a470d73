"""The tables of who may come in, and of what upstreams gave them to be let in there."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bascule.storage.tables import Base, Dated, Owned
from bascule.storage.types import Json, Line, Name, UtcDateTime, utc_now


class UserRow(Owned, Dated, Base):
    """A person: an account with a password, or somebody whom an issuer vouches for, or both.

    `roles` are names, on top of those an issuer claims. `password_hash` is in PHC form (Argon2id).
    """

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("tenant_id", "name"), UniqueConstraint("tenant_id", "id"))

    name: Mapped[str] = mapped_column(Name(200, "user name"))
    display_name: Mapped[str] = mapped_column(Line(200, "display name"), default="")
    email: Mapped[str] = mapped_column(Line(320, "e-mail address"), default="")
    roles: Mapped[list[str]] = mapped_column(Json, default=list)
    is_active: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None] = mapped_column(Line(300, "password hash"))
    password_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signed_out_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Line(200, "author"))


class UserIdentityRow(Owned, Base):
    """How an issuer calls a user; one user may be known to several."""

    __tablename__ = "user_identities"
    __table_args__ = (
        UniqueConstraint("tenant_id", "issuer", "subject"),
        ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], ondelete="CASCADE"
        ),
        Index(None, "tenant_id", "user_id"),
    )

    user_id: Mapped[UUID]
    issuer: Mapped[str] = mapped_column(Line(500, "issuer"))
    subject: Mapped[str] = mapped_column(Line(500, "subject"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class GroupRolesRow(Owned, Dated, Base):
    """The roles that membership of a group brings, by the group's name as issuers claim it."""

    __tablename__ = "group_roles"
    __table_args__ = (UniqueConstraint("tenant_id", "group_name"),)

    group_name: Mapped[str] = mapped_column(Name(300, "group name"))
    roles: Mapped[list[str]] = mapped_column(Json, default=list)
    updated_by: Mapped[str] = mapped_column(Line(200, "author"))


class UserSessionRow(Owned, Base):
    """A sign-in that lasts: `digest` is the SHA-256 of the cookie, `claims` what the issuer said.

    `seen_at` is written now and then, not with every request.
    """

    __tablename__ = "user_sessions"
    __table_args__ = (
        UniqueConstraint("digest"),
        ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], ondelete="CASCADE"
        ),
        Index(None, "tenant_id", "user_id"),
        Index(None, "expires_at"),
    )

    user_id: Mapped[UUID]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    issuer: Mapped[str] = mapped_column(Line(500, "issuer"), default="")
    claims: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    peer: Mapped[str] = mapped_column(Line(100, "address"), default="")
    agent: Mapped[str] = mapped_column(Line(300, "user agent"), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UserGrantRow(Owned, Dated, Base):
    """What an authorization server gave a caller for one resource, encrypted.

    `owner` is `Principal.owner`. `ciphertext` holds access and refresh token; it opens for this
    tenant, owner, upstream, issuer and resource only. `revision` grows with every change.
    """

    __tablename__ = "user_grants"
    __table_args__ = (
        UniqueConstraint("tenant_id", "owner", "upstream_name", "issuer", "resource"),
        Index(None, "tenant_id", "upstream_name"),
    )

    owner: Mapped[str] = mapped_column(Line(1100, "owner"))
    upstream_name: Mapped[str] = mapped_column(Name(100, "upstream name"))
    issuer: Mapped[str] = mapped_column(Line(500, "issuer"))
    resource: Mapped[str] = mapped_column(Line(1000, "resource"))
    client_id: Mapped[str] = mapped_column(Line(1000, "client id"))
    scopes: Mapped[list[str]] = mapped_column(Json, default=list)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    nonce: Mapped[bytes] = mapped_column(LargeBinary(12))
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(Line(64, "key id"))
    revision: Mapped[int] = mapped_column(default=1)


class OAuthClientRow(Owned, Dated, Base):
    """This gateway as an authorization server knows it after dynamic registration (RFC 7591)."""

    __tablename__ = "oauth_clients"
    __table_args__ = (UniqueConstraint("tenant_id", "issuer"),)

    issuer: Mapped[str] = mapped_column(Line(500, "issuer"))
    client_id: Mapped[str] = mapped_column(Line(1000, "client id"))
    registration: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    nonce: Mapped[bytes] = mapped_column(LargeBinary(12))
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(Line(64, "key id"))


class IssuerRow(Owned, Dated, Base):
    """An issuer of tokens; its tenant is where its subjects belong unless a claim says otherwise.

    `document` holds the other members of `bascule.gateway.issuer.Issuer`.
    """

    __tablename__ = "issuers"
    __table_args__ = (UniqueConstraint("tenant_id", "name"), UniqueConstraint("issuer"))

    name: Mapped[str] = mapped_column(Name(100, "issuer name"))
    issuer: Mapped[str] = mapped_column(Line(500, "issuer"))
    is_active: Mapped[bool] = mapped_column(default=True)
    document: Mapped[dict[str, Any]] = mapped_column(Json)
    updated_by: Mapped[str] = mapped_column(Line(200, "author"))


class CertificateRuleRow(Owned, Dated, Base):
    """Which client certificates are known, and as whom."""

    __tablename__ = "certificate_rules"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(Name(100, "rule name"))
    pattern: Mapped[str] = mapped_column(Line(1000, "pattern"))
    issuer: Mapped[str] = mapped_column(Line(1000, "issuer"), default="")
    roles: Mapped[list[str]] = mapped_column(Json, default=list)
    updated_by: Mapped[str] = mapped_column(Line(200, "author"))
