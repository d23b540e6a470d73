"""What language models were asked and answered, as their providers count."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter

from bascule.telemetry.metrics import OTHER

MOST_TENANTS: Final = 1000


class TokenCounter:
    """`bascule_chat_tokens_total`, by tenant, model and direction (`in`, `out`).

    The model is the operator's own choice. Of more than `most_tenants` tenants those that come
    later are `other`; people are no label: what each of them used is kept with their messages.
    """

    def __init__(self, registry: CollectorRegistry, most_tenants: int = MOST_TENANTS) -> None:
        self._counter = Counter(
            "bascule_chat_tokens",
            "Tokens of the assistant, as the provider of its model counts.",
            ["tenant", "model", "direction"],
            registry=registry,
        )
        self._tenants: set[str] = set()
        self._most_tenants = most_tenants

    def count(self, tenant: str, model: str, tokens_in: int, tokens_out: int) -> None:
        """Count an answer of `model` for somebody of `tenant`."""
        if tenant not in self._tenants:
            if len(self._tenants) >= self._most_tenants:
                tenant = OTHER
            else:
                self._tenants.add(tenant)
        for direction, tokens in (("in", tokens_in), ("out", tokens_out)):
            self._counter.labels(tenant, model, direction).inc(max(tokens, 0))
