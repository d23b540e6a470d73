"""Where the values of references come from, as far as that is this machine."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from bascule.gateway.secrets import SealedSecret
from bascule.gateway.snapshot import Snapshot
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.failures import SecretUnavailable
from bascule.upstreams.secrets.references import Reference

MOST_BYTES: Final = 256 * 1024


class Source(Protocol):
    """One kind of place that keeps secrets."""

    async def fetch(self, reference: Reference) -> str:
        """The value as it is now, without a line break at its end.

        Raises:
            SecretUnavailable: there is none, or the place does not answer.
        """
        ...


class Environment:
    """Variables of this process's environment."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    async def fetch(self, reference: Reference) -> str:
        """As `Source.fetch`; the default where the variable is not set."""
        value = self._variables.get(reference.name, reference.default)
        if value is None:
            raise SecretUnavailable(
                f"{reference}: the environment of the gateway has no variable {reference.name}. "
                "Set it and restart, or give a default."
            )
        return value


class Files:
    """Files that this process may read; their text, in UTF-8."""

    async def fetch(self, reference: Reference) -> str:
        """As `Source.fetch`."""
        return await asyncio.to_thread(_read, reference)


class Stored:
    """The secrets of each tenant, as the snapshot in force has them."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box
        self._sealed: dict[str, Mapping[str, SealedSecret]] = {}
        self._generations: dict[str, int] = {}

    def generation(self, tenant: str) -> int:
        """Grows whenever any secret of the tenant is another one."""
        return self._generations.get(tenant, 0)

    def follow(self, snapshot: Snapshot) -> None:
        """Take the secrets of `snapshot` for those that count."""
        sealed = {name: view.secrets for name, view in snapshot.tenants.items() if view.secrets}
        if sealed != self._sealed:
            for tenant in sealed.keys() | self._sealed.keys():
                if sealed.get(tenant) != self._sealed.get(tenant):
                    self._generations[tenant] = self.generation(tenant) + 1
            self._sealed = sealed

    def open(self, tenant: str, reference: Reference) -> str:
        """The value of the tenant's secret.

        Raises:
            SecretUnavailable: it has none of that name, or it does not open.
        """
        secret = self._sealed.get(tenant, {}).get(reference.name)
        if secret is None:
            raise SecretUnavailable(
                f"There is no secret {reference.name}. Set it with "
                f"`bascule secrets set {reference.name}`."
            )
        return self._box.open(tenant, secret)


def _read(reference: Reference) -> str:
    path = Path(reference.name)
    try:
        # A pipe or a device could block for ever.
        if not path.is_file():
            raise SecretUnavailable(f"{reference} names no file.")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise SecretUnavailable(f"{reference} holds more than {MOST_BYTES} bytes.")
        # Editors and `echo` end a file with a newline that is no part of a secret.
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretUnavailable(f"{reference} is not UTF-8 text.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SecretUnavailable(f"{reference} cannot be read: {reason}.") from None
