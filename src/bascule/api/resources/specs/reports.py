"""What is told of an import: the same, whether it was previewed, stored or published.

Needs no database: the command line previews with it where no instance is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from bascule.api.resources.specs.schemas import (
    ImportDiff,
    ImportedTool,
    ImportRemark,
    ImportReport,
    ToolChange,
    ToolDiff,
)
from bascule.catalogue.diffing import Change, worst
from bascule.catalogue.openapi.drafts import Conversion
from bascule.catalogue.openapi.findings import Finding
from bascule.catalogue.planning import Action, Place, Plan, Step, plan_import, summarise
from bascule.gateway.tool import RestSource, Tool, ToolStatus

_QUIET: Final = (Action.UNCHANGED, Action.GONE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an import: the id it has, and whether it is published, or only previewed."""

    import_id: UUID | None = None
    published: bool = False
    dry_run: bool = False
    will_publish: bool = False


def preview(conversion: Conversion, bundle: str, *, will_publish: bool = False) -> ImportReport:
    """What an import into an empty registry would do."""
    plan = plan_import(conversion.tools, conversion.base_url, Place(bundle), {})
    outcome = Outcome(dry_run=True, will_publish=will_publish)
    return report(conversion, bundle, plan, outcome)


def report(conversion: Conversion, bundle: str, plan: Plan, outcome: Outcome) -> ImportReport:
    """The answer to an import."""
    steps = {step.name: step for step in plan.steps}
    in_force = outcome.published or outcome.will_publish
    return ImportReport(
        spec_id=outcome.import_id,
        name=conversion.title,
        version=conversion.version,
        bundle=bundle,
        base_url=conversion.base_url,
        tools_generated=len(plan.tools),
        tools=[_tool(tool, steps[tool.name], in_force=in_force) for tool in plan.tools],
        warnings=remarks(conversion.warnings),
        published=outcome.published,
        dry_run=outcome.dry_run,
        changed=not plan.is_empty,
        diff=diff(plan.steps, plan.changes),
    )


def diff(steps: Sequence[Step], changes: Sequence[Change]) -> ImportDiff:
    """What the steps and the changes of the whole API amount to."""
    every = [*changes, *(change for step in steps for change in step.changes)]
    severity = worst(every)
    return ImportDiff(
        severity=severity and severity.value,
        summary=summarise(steps, changes),
        api=_changes(changes),
        tools=[_step(step) for step in steps if step.action not in _QUIET],
    )


def remarks(findings: Iterable[Finding]) -> list[ImportRemark]:
    """The remarks on a document."""
    return [
        ImportRemark(location=one.location, message=one.message, line=one.line) for one in findings
    ]


def change_of(change: Change) -> ToolChange:
    """A change as the REST API shows it."""
    return ToolChange(
        severity=change.severity.value,
        place=change.place,
        kind=change.kind,
        message=change.message,
    )


def _changes(changes: Iterable[Change]) -> list[ToolChange]:
    return [change_of(one) for one in changes]


def _step(step: Step) -> ToolDiff:
    severity = worst(step.changes)
    return ToolDiff(
        tool=step.name,
        action=step.action.value,
        severity=severity and severity.value,
        before=step.before,
        version=step.version,
        status=step.status,
        kept=list(step.kept),
        changes=_changes(step.changes),
    )


def _tool(tool: Tool, step: Step, *, in_force: bool) -> ImportedTool:
    rest = tool.source if isinstance(tool.source, RestSource) else None
    is_new = step.action in (Action.ADDED, Action.CHANGED)
    kept = ToolStatus.DRAFT if is_new else tool.status
    return ImportedTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        version=tool.version,
        risk_level=tool.risk,
        method=rest.method if rest else "",
        path=rest.path if rest else "",
        status=step.status if in_force else kept,
        tags=list(tool.tags),
        idempotent=tool.idempotent,
        input_schema=dict(tool.input_schema),
        output_schema=None if tool.output_schema is None else dict(tool.output_schema),
        examples=[dict(example) for example in tool.examples],
    )
