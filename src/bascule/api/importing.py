"""What an operator lets imports do."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bascule.api.caller import Caller
from bascule.gateway.errors import Forbidden
from bascule.upstreams.egress import PUBLIC_ONLY, AddressRules

MOST_DOCUMENT_BYTES: Final = 50 * 1024 * 1024
SIZE_SETTING: Final = "catalogue.max_document_bytes"
_MANAGES_SERVERS: Final = "mcp:manage_servers"


@dataclass(frozen=True, slots=True)
class ImportRules:
    """`four_eyes`: an import is published by another person than the one who made it.

    `egress` judges the addresses that documents are fetched from.
    """

    four_eyes: bool = False
    max_document_bytes: int = MOST_DOCUMENT_BYTES
    egress: AddressRules = PUBLIC_ONLY


def require_another(rules: ImportRules, author: str, subject: str) -> None:
    """Pass where `subject` may publish what `author` imported.

    Raises:
        Forbidden: they are the same person, and another one has to.
    """
    if rules.four_eyes and author == subject:
        raise Forbidden(
            "Here an import is published by another person than the one who made it "
            "(catalogue.four_eyes). Import without publishing, and let somebody else publish.",
            details={"by": author},
        )


def rules_for(caller: Caller, rules: AddressRules) -> AddressRules:
    """Where `caller` may make the gateway connect by an address in a URL.

    Who may not manage servers chooses among public addresses and those that `rules` allow.
    """
    return rules if caller.principal.may(_MANAGES_SERVERS) else rules.for_strangers()


def require_reachable(rules: AddressRules, field: str, url: str | None) -> None:
    """Pass where whom `rules` were made for may name the host of `url`; malformed ones pass too.

    Raises:
        Forbidden: it is an address inside, which is for others to choose.
    """
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:
        return
    if rules.only_public and host and not rules.is_open_to_strangers(host):
        raise Forbidden(
            f"{field}: {host[:253]} is an address inside. Ask somebody to import this who may "
            f"manage servers ({_MANAGES_SERVERS}), or to put a range that holds it in the setting "
            "upstreams.allowed_networks.",
            details={"permission": _MANAGES_SERVERS, "field": field},
        )
