"""Tools run to their end, as a developer would run them."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path


def run(*command: str | Path, cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """The exit status, then everything the command printed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}"
