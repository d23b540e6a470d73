"""The demo: the booking service as a child process, its document imported and published."""

import asyncio
import json
import sys
import sysconfig
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx2

import bascule
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.settings.loading import Loaded
from bascule.transports.asgi import AsgiApp

BUNDLE: Final = "service-booking"
RULE: Final = "users may book services"
_USUAL_PORT: Final = 8080
_START_SECONDS: Final = 10.0


class DemoFailed(GatewayError):
    """The demo service did not start, or its import was refused."""

    error = ErrorCode.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Booking:
    """The running booking service."""

    url: str
    document: bytes


def demo_folder() -> Path:
    """Where the booking service's code lies: inside the wheel, or in the checkout.

    Raises:
        DemoFailed: this installation came without it.
    """
    package = Path(bascule.__file__).parent
    for folder in (package / "_demo" / "booking", package.parents[1] / "examples" / "booking"):
        if (folder / "openapi.yaml").is_file():
            return folder
    raise DemoFailed("This installation has no demo. Install the bascule wheel, or use a checkout.")


def with_look(loaded: Loaded) -> Loaded:
    """The same settings with the look of the demo, where they name none.

    Raises:
        DemoFailed: this installation came without it.
    """
    settings = loaded.settings
    if settings.chat.theme_file:
        return loaded
    chat = settings.chat.model_copy(update={"theme_file": str(demo_folder() / "theme.json")})
    return replace(loaded, settings=settings.model_copy(update={"chat": chat}))


@asynccontextmanager
async def running_booking(data: Path) -> AsyncGenerator[Booking]:
    """Run the service on its usual port, or on a free one where that is taken.

    It ends with the block, and also when this process dies: it reads its end from stdin.

    Raises:
        DemoFailed: it did not become ready; says what it printed.
    """
    folder = demo_folder()
    try:
        service, url = await _start(folder, data, _USUAL_PORT)
    except DemoFailed:
        service, url = await _start(folder, data, 0)
    try:
        yield Booking(url, (folder / "openapi.yaml").read_bytes())
    finally:
        await _stop(service)


async def _start(folder: Path, data: Path, port: int) -> tuple[asyncio.subprocess.Process, str]:
    ready = data / f"booking-ready-{port}.json"
    ready.unlink(missing_ok=True)
    log = data / "booking.log"
    with log.open("wb") as output:
        service = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "booking", "--port", str(port), "--database", str(data / "booking.db")),
            *("--ready-file", str(ready), "--exit-with-stdin"),
            env={"PYTHONPATH": str(folder), "PATH": sysconfig.get_path("scripts")},
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
        )
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not ready.exists():
                if service.returncode is not None:
                    raise DemoFailed(f"The booking service failed: {_last_words(log)}")
                await asyncio.sleep(0.02)  # the file is the service's only signal
    except TimeoutError:
        await _stop(service)
        raise DemoFailed(f"The booking service was not ready in {_START_SECONDS:.0f} s.") from None
    return service, json.loads(ready.read_text())["url"]


def _last_words(log: Path) -> str:
    return log.read_text(errors="replace")[-500:].strip() or f"see {log}"


async def _stop(service: asyncio.subprocess.Process) -> None:
    if service.returncode is not None:
        return
    if service.stdin is not None:
        service.stdin.close()
    try:
        async with asyncio.timeout(5):
            await service.wait()
    except TimeoutError:
        service.kill()
        await service.wait()


async def publish_booking(front: AsgiApp, admin_key: str, booking: Booking) -> int:
    """Import and publish the service's document through the REST API; gives the tools' number.

    Raises:
        DemoFailed: the API refused; says why.
    """
    transport = httpx2.ASGITransport(front)  # pyright: ignore[reportArgumentType]
    headers = {"authorization": f"Bearer {admin_key}"}
    async with httpx2.AsyncClient(
        base_url="http://127.0.0.1", transport=transport, headers=headers
    ) as client:
        imported = await client.post(
            "/api/admin/openapi",
            files={"file": ("openapi.yaml", booking.document)},
            data={"bundle_id": BUNDLE, "auto_publish": "true", "base_url": booking.url},
        )
        report = _accepted(imported)
        found = _accepted(await client.get("/api/admin/policies"))
        if RULE not in {rule["name"] for rule in found["policies"]}:
            rule = {"name": RULE, "effect": "allow", "roles": ["user"], "bundles": [BUNDLE]}
            _accepted(await client.post("/api/admin/policies", json=rule))
        return report["tools_generated"]


def _accepted(response: httpx2.Response) -> dict[str, Any]:
    answer = response.json()
    if response.is_success:
        return answer
    raise DemoFailed(f"The demo could not be imported: {answer['error']['message']}")
