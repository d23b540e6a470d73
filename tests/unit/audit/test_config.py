"""What a journal may be asked for."""

from pathlib import Path

import pytest

from bascule.audit.config import JournalConfig
from bascule.gateway.errors import InvalidValue


def test_default_is_durable_before_the_answer() -> None:
    assert JournalConfig(Path("audit")).mode == "strict"


def test_writer_that_would_leave_the_directory_is_refused() -> None:
    with pytest.raises(
        InvalidValue, match=r"'\.\./other' cannot name a journal's writer"
    ) as refused:
        JournalConfig(Path("audit"), writer="../other")
    assert refused.value.details == {"field": "writer"}


def test_segment_without_a_size_is_refused() -> None:
    with pytest.raises(InvalidValue, match="max_segment_bytes"):
        JournalConfig(Path("audit"), max_segment_bytes=0)
