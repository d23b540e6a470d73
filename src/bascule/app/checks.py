"""What readiness depends on: what a call needs. The database is not among it."""

from bascule.audit.journal import Journal
from bascule.gateway.state import StateStore, StateUnavailable
from bascule.telemetry.health import Check, Failing


def journal_check(journal: Journal) -> Check:
    """Records can be made durable; otherwise every call is refused."""

    async def check() -> Failing | None:
        if journal.healthy:
            return None
        return Failing("records cannot be written", "Free space where the journal is written.")

    return check


def state_check(state: StateStore) -> Check:
    """The state that processes share answers; without it no session can be served."""

    async def check() -> Failing | None:
        try:
            await state.get("readiness")
        except StateUnavailable:
            return Failing("shared state does not answer", "Start the Redis of redis.url.")
        return None

    return check
