"""The model that needs no network: it plans calls by the schemas of the tools."""

from bascule.chat.offline.model import OfflineModel

__all__ = ["OfflineModel"]
