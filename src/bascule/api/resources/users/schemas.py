"""People as the REST API shows them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from bascule.api.bodies import Body
from bascule.api.names import DisplayName, EmailAddress, RoleNames, UserName


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
