"""Where an instance keeps what on disk."""

from pathlib import Path

from bascule.settings.model import Settings


def journal_directory(settings: Settings, data: Path) -> Path:
    """Where the journal of an instance on `data` is written."""
    return Path(settings.audit.directory) if settings.audit.directory else data / "audit"
