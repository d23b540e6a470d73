"""What the settings let imports do."""

from bascule.api.importing import ImportRules
from bascule.settings.model import Settings
from bascule.upstreams.egress import AddressRules, parse_networks


def import_rules(settings: Settings) -> ImportRules:
    """The rules for imports."""
    return ImportRules(
        four_eyes=settings.catalogue.four_eyes,
        max_document_bytes=settings.catalogue.max_document_bytes,
        egress=AddressRules(parse_networks(settings.upstreams.allowed_networks)),
    )
