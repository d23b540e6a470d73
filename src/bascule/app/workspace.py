"""The pages for browsers, as they were built into this installation; see `web/README.md`."""

from pathlib import Path
from typing import Final, cast

import structlog

import bascule
from bascule.api.pages.layout import page
from bascule.transports.asgi import AsgiApp
from bascule.transports.static_files import INDEX, StaticFiles

PATH: Final = "/chat"
_FOLDER: Final = Path(bascule.__file__).parent / "_ui"
_log = structlog.get_logger(__name__)


def workspace(folder: Path = _FOLDER) -> AsgiApp:
    """What answers at `PATH` and below: the pages, read at once, or a page that says how to
    build them. Blocks while it reads.
    """
    if not (folder / INDEX).is_file():
        return _unavailable("They are not built in this checkout.")
    try:
        return StaticFiles.read(PATH, folder)
    except (OSError, ValueError) as error:
        _log.warning("workspace.unreadable", folder=str(folder), reason=str(error))
        return _unavailable("They are built, but cannot be read by the gateway's user.")


def _unavailable(why: str) -> AsgiApp:
    body = f"""<h1>The assistant's pages are not here</h1>
<p>{why} In the checkout, run</p>
<p><code>make web</code></p>
<p>which needs Node 20.19 or newer, and start the gateway again. An installed wheel has them.</p>
<p class="hint">Without the pages, the assistant answers at <code>/api/chat</code>. Everything else
works as usual: <a href="/">back to the start</a>.</p>"""
    found = page("Not built", body, status=503, headers={"retry-after": "60"})
    return cast(AsgiApp, found)
