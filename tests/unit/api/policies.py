"""Policies in Rego for tests, and an API that can compile them."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from bascule.policy.access import Access
from bascule.policy.rego.judge import Judging
from bascule.rego.pool import EmbeddedEngine
from unit.api.site import Site, altered

_MEMORY: Final = 512 * 1024 * 1024

ALLOW_ANN: Final = """package bascule.authz
import rego.v1
default allow := false
allow if input.user == "ann"
"""
OPEN_ALL: Final = """package bascule.authz
import rego.v1
allow := true
"""
CANDID: Final = """package bascule.authz_test
import rego.v1
import data.bascule.authz
test_ann_may if authz.allow with input as {"user": "ann"}
test_strangers_are_refused if not authz.allow with input as {"user": "bo"}
"""


def rego_of(
    module: str, data: Mapping[str, Any] | None = None, more: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A policy of `module`, and of `more` by file name, without its name."""
    modules = {"authz.rego": module, **(more or {})}
    return {"type": "rego", "rego": {"modules": modules, "data": dict(data or {})}}


@asynccontextmanager
async def with_engine(site: Site) -> AsyncGenerator[Site]:
    """The same site, with the embedded engine."""
    async with EmbeddedEngine(1, 5.0, _MEMORY) as engine:
        decisions = partial(Access, rego=Judging(engine, 100))
        async with altered(site, rego=engine, decisions=decisions) as able:
            yield able
