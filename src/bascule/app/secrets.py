"""Where secrets come from, put together: the store's keys, Vault, AWS, files, the environment."""

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bascule.app.keyfile import ensure_secret_key
from bascule.settings.model import Settings
from bascule.upstreams.egress import ANYWHERE
from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.secrets.aws import AwsSecrets
from bascule.upstreams.secrets.box import KEY_BYTES, SecretBox
from bascule.upstreams.secrets.references import Kind
from bascule.upstreams.secrets.resolver import Freshness, SecretResolver
from bascule.upstreams.secrets.sources import Environment, Files, Source, Stored
from bascule.upstreams.secrets.vault import Vault, VaultConfig


def secret_box(settings: Settings, data: Path) -> SecretBox:
    """Opens secrets with the keys of the settings, else with the data directory's own.

    Reads and may write a file: call it in a thread.

    Raises:
        KeyUnusable, OSError: the key of the data directory cannot be used.
    """
    given = [key.key for key in settings.security.secret_keys]
    return SecretBox(given or [ensure_secret_key(data / "secrets.key")])


def no_secrets() -> SecretResolver:
    """Resolves nothing: every reference fails."""
    return SecretResolver(Stored(SecretBox([os.urandom(KEY_BYTES)])), {})


@asynccontextmanager
async def open_resolver(settings: Settings, box: SecretBox) -> AsyncGenerator[SecretResolver]:
    """Resolves references by everything that is set up."""
    security, upstreams = settings.security, settings.upstreams
    sources: dict[Kind, Source] = {
        Kind.ENVIRONMENT: Environment(),
        Kind.FILE: Files(),
        Kind.AWS: AwsSecrets(),
    }
    async with AsyncExitStack() as stack:
        if security.vault_url:
            # The installation's own address, often an inner one.
            client = await stack.enter_async_context(
                HttpClient(PoolConfig(max_connections=4, rules=ANYWHERE))
            )
            config = VaultConfig(
                security.vault_url,
                security.vault_token.get_secret_value(),
                security.vault_token_file,
                security.vault_namespace,
            )
            sources[Kind.VAULT] = Vault(config, client)
        freshness = Freshness(upstreams.reference_seconds, upstreams.stale_reference_seconds)
        resolver = SecretResolver(Stored(box), sources, freshness)
        stack.push_async_callback(resolver.close)
        yield resolver
