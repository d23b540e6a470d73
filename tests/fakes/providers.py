"""A real OpenID provider as a process of its own, on loopback."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from fakes.processes import Child, running

_SCRIPT = Path(__file__).parents[1] / "clients" / "provider.mjs"


@dataclass(frozen=True, slots=True)
class Provider:
    """`url` is its issuer; `control` where it is steered."""

    child: Child
    url: str
    control: str

    def token(self, header: dict[str, Any] | None = None, /, **claims: Any) -> str:
        """A token that it signs, whatever is in it."""
        return self.make({"header": header or {}, "claims": claims})

    def make(self, wanted: dict[str, Any]) -> str:
        """A token by the key that `wanted` names as `kid`, if it names one."""
        return self._do("token", wanted)

    def grant(self, **claims: Any) -> str:
        """An access token from its token endpoint, for Ann with her password."""
        form = {
            "grant_type": "password",
            "username": "ann",
            "client_id": "agent",
            "claims": json.dumps(claims),
        }
        with httpx2.Client(trust_env=False, timeout=10) as client:
            answer = client.post(f"{self.url}/token", data=form)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def published(self) -> list[dict[str, Any]]:
        """Its public keys, as it publishes them."""
        with httpx2.Client(trust_env=False, timeout=10) as client:
            return client.get(f"{self.url}/jwks").json()["keys"]

    def add_key(self, kid: str, algorithm: str = "RS256") -> None:
        """Have another key."""
        self._do("key", {"kid": kid, "algorithm": algorithm})

    def say(self, **claims: Any) -> None:
        """Say this of whoever signs in with a browser from now on."""
        self._do("said", claims)

    def answer(self, **members: str | None) -> None:
        """Send browsers back with these members of the query, without those that are None."""
        self._do("answer", members)

    def go_down(self) -> None:
        """Answer nobody any more, until `come_up`."""
        self._do("down", {})

    def come_up(self) -> None:
        """Answer again, at the same address."""
        self._do("up", {})

    def _do(self, what: str, wanted: dict[str, Any]) -> str:
        with httpx2.Client(trust_env=False, timeout=10) as client:
            answer = client.post(f"{self.control}/{what}", json=wanted)
        assert answer.status_code == 200, answer.text
        return answer.text


@contextmanager
def providing() -> Iterator[Provider]:
    """Start a provider with one RSA key, named `first`; it ends with the block."""
    with running("node", str(_SCRIPT)) as child:
        child.wait_for("steered at ")
        found = re.search(r"provider (\S+) steered at (\S+)", child.said)
        assert found is not None
        yield Provider(child, found[1], found[2])
