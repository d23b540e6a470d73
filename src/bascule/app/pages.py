"""The pages beside MCP and the REST API: health, metrics, and a start page for people."""

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template

from bascule import __version__
from bascule.app.front import Page
from bascule.settings.model import Settings
from bascule.telemetry.health import Health
from bascule.telemetry.metrics import Metrics
from bascule.transports.access import loopback_only

_JSON = b"application/json"


def pages(settings: Settings, health: Health, metrics: Metrics) -> Mapping[str, Page]:
    """Path to page. None of them needs a key, and none tells more than that all is well.

    Metrics are among them where only this machine can ask, or an operator wants it so.
    """

    async def alive(_: Mapping[bytes, bytes]) -> tuple[int, bytes, bytes]:
        return 200, _JSON, b'{"status":"ok"}'

    async def ready(_: Mapping[bytes, bytes]) -> tuple[int, bytes, bytes]:
        report = await health.report()
        status = 200 if report["status"] == "ready" else 503
        return status, _JSON, json.dumps(report).encode()

    async def measured(headers: Mapping[bytes, bytes]) -> tuple[int, bytes, bytes]:
        kind, body = metrics.render(headers.get(b"accept", b"").decode("latin-1"))
        return 200, kind.encode(), body

    template = Template(files("bascule.app").joinpath("start.html").read_text("utf-8"))

    async def start(headers: Mapping[bytes, bytes]) -> tuple[int, bytes, bytes]:
        # The front has checked that this host is one of ours; a proxy in front may speak TLS.
        host = headers.get(b"host", b"").decode("latin-1")
        scheme = "https" if settings.server.tls_certificate else "http"
        page = template.substitute(
            version=__version__,
            name=escape(settings.app.name),
            address=escape(f"{scheme}://{host}"),
        )
        return 200, b"text/html; charset=utf-8", page.encode()

    found: dict[str, Page] = {"/": start, "/health": ready, "/healthz": alive, "/readyz": ready}
    observability = settings.observability
    is_open = observability.metrics_public or loopback_only([settings.server.host])
    if observability.metrics_enabled and is_open:
        found["/metrics"] = measured
    return found
