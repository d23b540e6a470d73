"""REST tools: a call becomes one HTTP request, its answer a result."""

from bascule.upstreams.rest.limits import AnswerLimits
from bascule.upstreams.rest.plans import OperationPlan, RequestParts, compile_operation
from bascule.upstreams.rest.upstream import HttpSender, RestUpstream

__all__ = [
    "AnswerLimits",
    "HttpSender",
    "OperationPlan",
    "RequestParts",
    "RestUpstream",
    "compile_operation",
]
