"""As whom the gateway comes to a service: tokens, headers and certificates."""

from bascule.upstreams.credentials.certificates import ClientCertificate
from bascule.upstreams.credentials.client import CredentialedClient
from bascule.upstreams.credentials.credentials import Credentials
from bascule.upstreams.credentials.exchange import ExchangingClients, Way
from bascule.upstreams.credentials.tokens import Tokens

__all__ = [
    "ClientCertificate",
    "CredentialedClient",
    "Credentials",
    "ExchangingClients",
    "Tokens",
    "Way",
]
