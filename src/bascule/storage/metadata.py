"""Every table there is: import a module of tables here, or migrations will not know it."""

from bascule.storage import (
    chat_tables,
    elevation_tables,
    identity_tables,
    pin_tables,
    policy_tables,
    registry_tables,
    search_tables,
    secret_tables,
)
from bascule.storage.tables import Base

MODULES = (
    chat_tables,
    elevation_tables,
    identity_tables,
    pin_tables,
    policy_tables,
    registry_tables,
    search_tables,
    secret_tables,
)

metadata = Base.metadata
"""Complete once this module is imported."""
