"""What every step of one conversion shares."""

from dataclasses import dataclass, field

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.findings import Remarks
from bascule.catalogue.openapi.limits import STANDARD, SchemaLimits
from bascule.catalogue.openapi.servers import MayName, any_host
from bascule.catalogue.openapi.validators import Patterns


@dataclass(frozen=True, slots=True)
class Context:
    """The document, what was remarked on it so far, and what is left of its budget.

    `ignores_ref_siblings`: in OpenAPI 3.0 what stands beside `$ref` has no meaning.
    `may_name`: which hosts it may have servers on.
    """

    document: Document
    ignores_ref_siblings: bool
    remarks: Remarks = field(default_factory=Remarks)
    budget: Budget = field(default_factory=Budget)
    limits: SchemaLimits = STANDARD
    patterns: Patterns = field(default_factory=Patterns)
    may_name: MayName = any_host
