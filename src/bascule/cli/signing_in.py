"""How `bascule proxy` signs in at the server behind it, as its options say."""

import os
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import typer

from bascule.cli.failures import CommandFailed, Exit
from bascule.gateway.connector import DIRECT, Connector, UserGrants

if TYPE_CHECKING:
    from bascule.upstreams.oauth.setup import Setup

_SECRET: Final = "BASCULE_OAUTH_CLIENT_SECRET"  # noqa: S105 - a name


@dataclass(frozen=True, slots=True)
class SignIn:
    """Not at all, by a `person` in a browser, or `headless`."""

    person: bool = False
    headless: bool = False
    wanted: UserGrants = field(default_factory=UserGrants)
    document_url: str = ""

    @property
    def connector(self) -> Connector:
        """How the server is reached then.

        Raises:
            CommandFailed: the options do not fit together.
        """
        wanted = self.wanted
        if self.person and self.headless:
            raise _wrong("Give --oauth or --oauth-headless, not both.")
        if not (self.person or self.headless):
            if wanted != UserGrants() or self.document_url:
                raise _wrong("The other --oauth options need --oauth.")
            return DIRECT
        if bool(wanted.client_id) != bool(wanted.issuer):
            raise _wrong("Give --oauth-client-id and --oauth-issuer together, or neither.")
        if self.document_url and not self.document_url.startswith("https://"):
            raise _wrong("--oauth-client-document must begin with https://.")
        if wanted.client_id and _SECRET in os.environ:
            # A reference: the secret itself is in no record and in no list of processes.
            wanted = replace(wanted, client_secret=f"${{{_SECRET}}}")
        return Connector(user_grants=wanted)

    def open(self) -> "AbstractAsyncContextManager[Setup | None]":
        """What the gateway needs to sign in."""
        from bascule.app.consenting import at_desk, headless

        if self.headless:
            return headless(self.document_url)
        return at_desk(_tell, self.document_url) if self.person else nullcontext()


def _tell(url: str) -> None:
    typer.echo(f"Sign in to let Bascule use the server for you:\n  {url}", err=True)


def _wrong(message: str) -> CommandFailed:
    return CommandFailed(message, Exit.USAGE)
