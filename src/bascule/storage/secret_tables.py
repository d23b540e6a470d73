"""The table of secrets: nothing in it can be read without the keys of the installation."""

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bascule.storage.tables import Base, Dated, Owned
from bascule.storage.types import Line, Name


class SecretRow(Owned, Dated, Base):
    """A secret, encrypted; bound to its tenant and name, so that it opens nowhere else."""

    __tablename__ = "secrets"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(Name(100, "secret name"))
    nonce: Mapped[bytes] = mapped_column(LargeBinary(12))
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(Line(64, "key id"))
    version: Mapped[int] = mapped_column(default=1)
    updated_by: Mapped[str] = mapped_column(Line(200, "author"))
