"""People as the REST API shows them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, SecretStr
from pydantic_core import PydanticCustomError

from bascule.api.bodies import Body
from bascule.api.names import DisplayName, EmailAddress, RoleNames, UserName
from bascule.identity.claims import LONGEST_SUBJECT


class UserCreate(Body):
    """A person to add. Without a password, which is set apart, an issuer has to vouch for them."""

    name: UserName
    display_name: DisplayName = ""
    email: EmailAddress = ""
    roles: RoleNames = Field(default_factory=list)


class UserUpdate(Body):
    """What to change about a person; what is left out stays. `roles` are all they have then."""

    display_name: DisplayName | None = None
    email: EmailAddress | None = None
    roles: RoleNames | None = None


class PasswordSet(Body):
    """A new password; without one, one is made up and shown in the answer."""

    password: Annotated[SecretStr, Field(min_length=1, max_length=1024)] | None = None


class Identity(BaseModel):
    """How an issuer calls somebody."""

    issuer: str
    subject: str


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("line", "This holds no control characters")
    return text


IssuerUrl = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        description="The issuer as its tokens name it in `iss`, letter by letter.",
    ),
    AfterValidator(_one_line),
]
Subject = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_SUBJECT,
        description="How the issuer calls the person for ever: the claim `sub`, or what the "
        "issuer's `subject_claim` names. Case counts.",
    ),
    AfterValidator(_one_line),
]


class IdentityLink(Body):
    """An identity to link. Whoever signs in with it is this person from then on."""

    issuer: IssuerUrl
    subject: Subject
    from_user: Annotated[
        UserName | None,
        Field(
            description="Who has the identity now, to take it from them in the same change; they "
            "are signed out everywhere. Without it, an identity of another user is a conflict."
        ),
    ] = None


class LinkedIdentity(BaseModel):
    """An identity by which a person comes in."""

    issuer: Annotated[str, Field(description="The `iss` of the issuer.")]
    subject: Annotated[str, Field(description="How the issuer calls the person.")]
    issuer_name: Annotated[
        str | None,
        Field(
            description="The issuer's name here; null where it is not active or leads to another "
            "tenant, so that nobody comes in by this identity."
        ),
    ]
    linked_at: Annotated[
        datetime, Field(description="Since when the identity is this person's, in UTC.")
    ]


class IdentityList(BaseModel):
    """All identities of a person, by issuer and subject."""

    user: Annotated[str, Field(description="Name of the person.")]
    identities: Annotated[list[LinkedIdentity], Field(description="Their identities.")]
    total: Annotated[int, Field(description="How many there are.")]


class IdentityUnlinked(BaseModel):
    """The identity that is not the person's any more."""

    user: Annotated[str, Field(description="Name of the person, who is signed out everywhere.")]
    issuer: Annotated[str, Field(description="The `iss` of the issuer.")]
    subject: Annotated[str, Field(description="How the issuer calls whoever has the identity.")]


class User(BaseModel):
    """A person. `roles` are those given here; an issuer may claim more for them."""

    user_id: UUID
    name: str
    display_name: str
    email: str
    roles: list[str]
    is_active: bool
    has_password: bool
    identities: list[Identity]
    last_sign_in_at: datetime | None
    password_changed_at: datetime | None
    signed_out_at: datetime | None
    created_by: str
    created_at: datetime
    updated_at: datetime


class UserList(BaseModel):
    """A page of the tenant's people, by name."""

    users: list[User]
    total: int
    page: int
    limit: int


class UserRemoved(BaseModel):
    """Who is gone."""

    removed: str


class PasswordChanged(BaseModel):
    """A password that was made up is shown here, and never again; one that was given is not."""

    name: str
    password: str | None
