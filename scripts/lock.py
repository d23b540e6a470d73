"""Write requirements/*.lock anew: every version and hash, and no address of any registry.

Needs `uv` on the PATH: it resolves for all supported platforms and Python versions at once.
"""

import subprocess
import sys

COMMON = ["--universal", "--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet"]


def main() -> int:
    """Resolve what users need, then what contributors need."""
    for name, extra in (("runtime", []), ("dev", ["--group", "dev"])):
        target = f"requirements/{name}.lock"
        command = ["uv", "pip", "compile", *COMMON, "pyproject.toml", *extra, "-o", target]
        finished = subprocess.run(command, check=False)
        if finished.returncode:
            return finished.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
