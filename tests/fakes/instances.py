"""Real instances of the product, and its commands, as processes of their own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from typing import Any

import httpx2
import pytest

from bascule.app.private import read_secret, write_secret
from bascule.cli.main import main
from bascule.protocol.versions import Era
from fakes import mcp
from fakes.processes import Child, running, survivors

BASCULE = (sys.executable, "-m", "bascule")
GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Instance:
    """One that serves, as its `ready.json` describes it."""

    child: Child
    data: Path
    mcp_url: str
    admin_key: str
    demo_key: str

    @property
    def url(self) -> str:
        """Its address without a path."""
        return self.mcp_url.removesuffix("/mcp")

    def api(self, key: str | None = None) -> httpx2.Client:
        """A client of everything it serves, with a key: the admin's unless another is given."""
        headers = {"authorization": f"Bearer {key or self.admin_key}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=20.0, trust_env=False)

    def call(self, tool: str, key: str | None = None, **arguments: object) -> httpx2.Response:
        """One tools/call of the stateless era, as a client sends it."""
        with self.api(key) as client:
            return client.post("/mcp", **tool_call(tool, arguments))

    def publish(self, document: bytes, bundle: str, base_url: str) -> None:
        """Import and publish `document`, and let users call its tools."""
        with self.api() as client:
            imported = client.post(
                "/api/admin/openapi",
                files={"file": ("openapi.json", document)},
                data={"bundle_id": bundle, "auto_publish": "true", "base_url": base_url},
            )
            assert imported.status_code == 200, imported.text
            rule = {"name": f"users of {bundle}", "effect": "allow", "roles": ["user"]}
            allowed = client.post("/api/admin/policies", json={**rule, "bundles": [bundle]})
            assert allowed.status_code == 201, allowed.text

    def set_connector(self, upstream: str, **connector: object) -> None:
        """How the gateway reaches a service: what is not given has its usual value."""
        with self.api() as client:
            path = f"/api/admin/upstreams/{upstream}"
            changed = client.put(path, json={"connector": connector})
        assert changed.status_code == 200, changed.text

    def stop(self) -> None:
        """SIGTERM: it must end well, within its grace, and take what it started with it."""
        offspring = self.child.offspring()
        self.child.send(SIGTERM)
        assert self.child.exit_code(GRACE_SECONDS) == 0, self.child.said
        assert survivors(offspring) == []


@contextmanager
def serving(
    data: Path, *options: str, settings: Mapping[str, str] | None = None, command: str = "up"
) -> Iterator[Instance]:
    """Start an instance on `data` and wait until it is ready. At the end it must stop well.

    `serve` makes no keys, so there its owner makes one before, in `admin.key` as `up` does.
    """
    if command == "serve" and not (data / "admin.key").exists():
        _make_owner(data)
    given = ("--no-browser", *options) if command == "up" else options
    whole = (*BASCULE, command, "--data", str(data), "--port", "0", *given)
    with running(*whole, environment=environment(settings)) as child:
        child.wait_for("is ready" if command == "up" else "server.ready")
        instance = _read(child, data)
        yield instance
        if child.is_running:
            instance.stop()


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """Its result, printed as JSON; fails where it had none."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The one JSON error it printed, and nothing else; fails where it succeeded."""
        assert self.code != 0, self.out
        assert self.out == ""
        return json.loads(self.err)["error"]


def bascule(*arguments: str | Path, settings: Mapping[str, str] | None = None) -> Finished:
    """Run a command of the product to its end."""
    done = subprocess.run(
        [*BASCULE, *(str(one) for one in arguments)],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def bascule_here(*arguments: str | Path) -> Finished:
    """Run a command of the product in this process: the same, without a second of imports."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["bascule", *(str(one) for one in arguments)])
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    assert isinstance(code, int)
    return Finished(code, out.getvalue(), err.getvalue())


def environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with `settings` (dotted names) and no other setting in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BASCULE_")}
    wanted = (settings or {}).items()
    return kept | {f"BASCULE_{name.upper().replace('.', '__')}": value for name, value in wanted}


def tool_call(tool: str, arguments: Mapping[str, object], era: Era = Era.MODERN) -> dict[str, Any]:
    """What httpx2 needs to post a tools/call: body and headers, but no key."""
    params = {"name": tool, "arguments": dict(arguments)}
    build = mcp.modern if era is Era.MODERN else mcp.legacy
    return post(build("tools/call", params))


def post(
    message: Mapping[str, Any], changed: Mapping[str, str | None] | None = None
) -> dict[str, Any]:
    """What httpx2 needs to post `message`; `changed` headers are replaced, or removed (None)."""
    wanted = {**mcp.headers_of(message), "Host": None, "Authorization": None, **(changed or {})}
    headers = {name: value for name, value in wanted.items() if value is not None}
    return {"json": message, "headers": headers}


def _make_owner(data: Path) -> None:
    data.mkdir(mode=0o700, exist_ok=True)
    bascule_here("tools", "list", "--data", data)  # makes the database, and says so
    wanted = ("--name", "owner", "--role", "admin", "--role", "system_admin")
    made = bascule_here("keys", "create", *wanted, "--data", data, "-o", "json")
    write_secret(data / "admin.key", made.value["key"])


def _read(child: Child, data: Path) -> Instance:
    ready = json.loads((data / "ready.json").read_text())
    assert ready["pid"] == child.pid
    admin_key = read_secret(data / (ready["admin_key_file"] or "admin.key")) or ""
    demo_key = read_secret(data / ready["demo_key_file"]) if ready["demo_key_file"] else None
    return Instance(child, data, ready["mcp_url"], admin_key, demo_key or "")
