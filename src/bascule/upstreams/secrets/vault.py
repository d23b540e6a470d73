"""HashiCorp Vault, and OpenBao: secrets of the engine KV version 2, over its HTTP API.

https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

import msgspec

from bascule.gateway.errors import GatewayError
from bascule.upstreams.http1 import HttpClient, HttpRequest, HttpResponse, Origin
from bascule.upstreams.secrets.failures import SecretUnavailable
from bascule.upstreams.secrets.references import Reference

_SECONDS: Final = 5.0
_REASONS: Final[Mapping[int, str]] = {
    403: "Vault refused the token; give one whose policy reads this path",
    404: "Vault has nothing there; look at mount and path (the engine must be KV version 2)",
    429: "Vault takes no more requests for now",
    503: "Vault is sealed or in maintenance",
}


@dataclass(frozen=True, slots=True)
class VaultConfig:
    """Where Vault is. The token is `token`, or what `token_file` holds whenever it is needed."""

    url: str
    token: str = ""
    token_file: str = ""
    namespace: str = ""


class Vault:
    """Reads fields of secrets; one request for each reference that is read."""

    def __init__(self, config: VaultConfig, client: HttpClient) -> None:
        """`client` must be allowed to go where `config.url` leads.

        Raises:
            ValueError: the URL is unusable.
        """
        self._config = config
        self._client = client
        self._origin, self._base = Origin.parse(config.url)

    async def fetch(self, reference: Reference) -> str:
        """As `Source.fetch`."""
        mount, _, path = reference.name.partition("/")
        headers = [("x-vault-token", await self._token(reference)), ("x-vault-request", "true")]
        if self._config.namespace:
            headers.append(("x-vault-namespace", self._config.namespace))
        target = f"{self._base}/v1/{quote(mount)}/data/{quote(path)}"
        request = HttpRequest(self._origin, "GET", target, headers)
        try:
            response = await self._client.request(request, time.monotonic() + _SECONDS)
        except GatewayError as failure:
            raise SecretUnavailable(f"{reference}: Vault: {failure.private}.") from None
        except ValueError:
            raise SecretUnavailable(
                f"{reference}: the token for Vault holds characters that none has."
            ) from None
        return _field(response, reference)

    async def _token(self, reference: Reference) -> str:
        if not self._config.token_file:
            return self._config.token
        try:
            text = await asyncio.to_thread(Path(self._config.token_file).read_text)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a text"
            raise SecretUnavailable(
                f"{reference}: security.vault_token_file cannot be read: {reason}."
            ) from None
        return text.strip()


def _field(response: HttpResponse, reference: Reference) -> str:
    if response.status != 200:
        reason = _REASONS.get(response.status, f"Vault answered with status {response.status}")
        raise SecretUnavailable(f"{reference}: {reason}.")
    value = _member(_member(_decoded(response.body), "data"), "data")
    if not isinstance(value, dict):
        raise SecretUnavailable(f"{reference}: Vault gave no secret; is the engine KV version 2?")
    members = cast("dict[str, object]", value)
    found = members.get(reference.field)
    if not isinstance(found, str):
        problem = "is no text" if reference.field in members else "is not in that secret"
        raise SecretUnavailable(f"{reference}: the field {reference.field} {problem}.")
    return found


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None


def _member(value: object, name: str) -> object:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
