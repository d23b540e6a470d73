"""An identified caller of the REST API."""

from dataclasses import dataclass

from bascule.gateway.principal import Principal


@dataclass(frozen=True, slots=True)
class Caller:
    """An identified caller of the REST API, for the length of one request.

    `home` is the tenant of a system administrator who acts in another; None at home.
    """

    principal: Principal
    correlation_id: str
    home: str | None = None

    @property
    def tenant(self) -> str:
        """The tenant whose rows this caller sees."""
        return self.principal.tenant

    @property
    def subject(self) -> str:
        """The name written beside every change."""
        return self.principal.subject
