"""Secrets by reference: where they are kept, and what a reference stands for right now."""

from bascule.upstreams.secrets.failures import SecretUnavailable
from bascule.upstreams.secrets.resolver import SecretResolver

__all__ = ["SecretResolver", "SecretUnavailable"]
