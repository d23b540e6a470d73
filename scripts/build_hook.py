"""What hatchling runs before it packs the project: it refuses to pack it without its pages.

It builds nothing itself: `make wheel` does, before.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGES = Path("src", "bascule", "_ui", "index.html")


class PagesAreThere(BuildHookInterface[Any]):
    """A build hook for wheels and source distributions; an editable install may be without."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fail where there are no pages to pack."""
        del build_data
        if version != "editable" and not (Path(self.root) / PAGES).is_file():
            raise SystemExit(
                f"{PAGES} is missing, and a package without it has no pages at /chat. "
                "Run `make wheel`, or `make web` before you build."
            )
