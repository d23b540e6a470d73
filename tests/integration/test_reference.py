"""The reference pages say what the code says."""

import re
from pathlib import Path

from bascule.gateway.errors import ErrorCode

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"


def test_the_error_page_lists_every_code_with_its_statuses_and_no_other() -> None:
    rows = re.findall(
        r"^\| (E\d{4}) \| `([a-z_.]+)` \| (\d{3}) \| (-\d+) \| .+\.? \|$",
        _PAGE.read_text(),
        re.MULTILINE,
    )
    listed = [(code, slug, int(http), int(rpc)) for code, slug, http, rpc in rows]
    assert listed == [
        (error.code, error.slug, error.http_status, error.rpc_code) for error in ErrorCode
    ]
