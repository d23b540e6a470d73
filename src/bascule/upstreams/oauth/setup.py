"""What access on behalf of callers needs of its surroundings, the same for all upstreams."""

from dataclasses import dataclass

from bascule.upstreams.oauth.ports import Consent, Grants, Registrations


@dataclass(frozen=True, slots=True)
class Setup:
    """`document_url` is where this gateway's own client document is served over https, "" for
    nowhere. With `one_person`, whoever started this process is every caller, and consents for the
    gateway's own requests, too. A request waits `consent_seconds` for a person who was sent to
    consent.
    """

    grants: Grants
    registrations: Registrations
    consent: Consent
    document_url: str = ""
    one_person: bool = False
    consent_seconds: float = 30.0
