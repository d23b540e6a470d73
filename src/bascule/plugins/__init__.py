"""What a plugin is made of: everything in this module, and nothing else of Bascule, is for plugins.

A plugin is a Python package with an entry point in the group `bascule.plugins` that names a
function from `PluginContext` to `Plugin`. An operator installs the package and names the entry
point in `plugins.enabled`; what is installed and not named is never imported.

The API grows without breaking within a major version of Bascule.
"""

from bascule.gateway.call import Call, Method, Result
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.gateway.record import AuditRecord, Observer, Status
from bascule.gateway.stage import FailureMode, ResultStage, Stage
from bascule.gateway.tool import RiskLevel, Tool
from bascule.gateway.verdict import PASS, Challenge, Pass, Refuse, Rewrite, Verdict
from bascule.plugins.connecting import (
    ConnectorCall,
    ConnectorFailed,
    ConnectorTool,
    ToolConnector,
)
from bascule.plugins.contract import ENTRY_POINTS, Placed, Plugin, PluginContext, Slot
from bascule.plugins.guarding import Guard

__all__ = [
    "ENTRY_POINTS",
    "PASS",
    "AuditRecord",
    "Call",
    "Challenge",
    "ConnectorCall",
    "ConnectorFailed",
    "ConnectorTool",
    "ErrorCode",
    "FailureMode",
    "Guard",
    "Method",
    "Observer",
    "Pass",
    "Placed",
    "Plugin",
    "PluginContext",
    "Principal",
    "Refuse",
    "Result",
    "ResultStage",
    "Rewrite",
    "RiskLevel",
    "Slot",
    "Stage",
    "Status",
    "Tool",
    "ToolConnector",
    "Verdict",
]
