"""`bench` is a package beside `src`, run from the root of the repository; tests import it so."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])

if ROOT not in sys.path:
    sys.path.insert(0, ROOT)
