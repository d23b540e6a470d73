"""What readiness depends on: what a call needs. The database is not among it."""

from bascule.audit.journal import Journal
from bascule.telemetry.health import Check, Failing


def journal_check(journal: Journal) -> Check:
    """Records can be made durable; otherwise every call is refused."""

    async def check() -> Failing | None:
        if journal.healthy:
            return None
        return Failing("records cannot be written", "Free space where the journal is written.")

    return check
