"""The stores that state is tested against."""

from contract.state.stores import store, valkey_url

__all__ = ["store", "valkey_url"]
