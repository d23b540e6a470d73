"""Under which circumstances calls are decided about."""

from bascule.gateway.circumstances import circumstances_now, circumstances_of

__all__ = ["circumstances_now", "circumstances_of"]
