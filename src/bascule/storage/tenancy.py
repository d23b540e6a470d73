"""Tenants apart by construction: below the repositories, whatever they ask for.

A session is of one tenant as soon as a repository is made in it. From then on every statement on
rows of tenants is limited to that tenant: a condition is added to each table, alias, join and
subquery of what goes through the ORM. Then the text that goes to the driver is read once more, and
refused where a table of tenants is not kept to this one, or a value names another. Rows that are
written, changed or removed have to be its own. A session of nobody cannot touch such rows at all.

What concerns all tenants says so: `across_tenants`. Which modules may is written down in
`scripts/check_tenants.py`.
"""

import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, TextClause, event, inspect
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import (
    InstanceState,
    ORMExecuteState,
    Session,
    UOWTransaction,
    with_loader_criteria,
)
from sqlalchemy.sql.compiler import Compiled, SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from bascule.storage.statements import TENANT_COLUMN, Touched, touched_by, touched_by_text
from bascule.storage.tables import OfTenant

_KEY: Final = "bascule_tenancy"
_PARAMETER: Final = re.compile(rf"{TENANT_COLUMN}(_m?\d+)*")
"""How SQLAlchemy names the values of a column: numbered, by row where several are inserted."""


class TenantsMixed(RuntimeError):
    """A mistake in the program that could have shown one tenant's rows to another; nothing ran."""


@dataclass(slots=True)
class Scope:
    """Whose rows a session may touch: of nobody yet, of one tenant for good, or `across` all."""

    tenant_id: UUID | None = None
    across: list[str] = field(default_factory=list[str])
    """Why, for each block that reaches across tenants and is not left yet."""
    limits: tuple[Any, ...] = ()
    is_flushing: bool = False


class TenantSession(Session):
    """A session that keeps to its tenant."""


def open_session(engine: AsyncEngine) -> AsyncSession:
    """A session of nobody. Before its first statement, `bind_scope` ties its connection to it."""
    return AsyncSession(
        engine, sync_session_class=TenantSession, expire_on_commit=False, info={_KEY: Scope()}
    )


async def bind_scope(session: AsyncSession) -> AsyncConnection:
    """The connection of `session`, which begins here, under the session's scope."""
    return await session.connection(execution_options={_KEY: _scope_of(session)})


async def unlimited(connection: AsyncConnection, reason: str) -> None:
    """Let `connection`, which has no session, touch every tenant's rows: for migrations."""
    await connection.execution_options(**{_KEY: Scope(across=[reason])})


def keep_to(session: AsyncSession, tenant_id: UUID) -> None:
    """Make `session` one of this tenant, for as long as it lasts.

    Raises:
        TenantsMixed: it is another tenant's already.
    """
    scope = _scope_of(session)
    if scope.across or scope.tenant_id == tenant_id:
        return
    if scope.tenant_id is not None:
        raise TenantsMixed(
            f"a session of tenant {scope.tenant_id} cannot serve tenant {tenant_id} as well; open "
            "another one, or enter across_tenants"
        )
    scope.tenant_id = tenant_id
    scope.limits = (_limit(tenant_id),)


@asynccontextmanager
async def across_tenants(session: AsyncSession, reason: str) -> AsyncGenerator[None]:
    """Let `session` touch the rows of every tenant, until the block is left.

    `reason` is for whoever reads the code. What was changed inside is written when the block is
    left, and no row of it is known to the session any more, so that none is found without asking.
    """
    scope = _scope_of(session)
    await session.flush()
    scope.across.append(reason)
    try:
        yield
        await session.flush()
    finally:
        scope.across.pop()
        if not scope.across:
            _forget_others(session, scope)


def guard_engine(engine: Engine) -> None:
    """Refuse, on every connection of `engine`, what is not kept to a tenant."""
    event.listen(engine, "before_cursor_execute", _check)


def _scope_of(session: AsyncSession) -> Scope:
    return cast(Scope, session.info[_KEY])


def _forget_others(session: AsyncSession, scope: Scope) -> None:
    for row in list(session.sync_session):
        if isinstance(row, OfTenant) and row.__dict__.get(TENANT_COLUMN) != scope.tenant_id:
            session.expunge(row)


class _OfTenant(FunctionElement[bool]):
    """`column = value`, written so that it does not sway how the database goes about it.

    The repositories name the tenant where an index is to be used; this is the check behind them.
    """

    inherit_cache = True
    name = "of_tenant"


@compiles(_OfTenant)
def _write_plainly(element: _OfTenant, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction]
    return f"CASE WHEN ({compiler.process(element.clauses, **options)}) THEN true END"


@compiles(_OfTenant, "sqlite")
def _write_for_sqlite(element: _OfTenant, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction]
    # A unary plus keeps a condition from being met by an index: sqlite.org/optoverview.html.
    return f"+{compiler.process(element.clauses, **options)}"


def _limit(tenant_id: UUID) -> Any:
    def of_tenant(row: type[OfTenant]) -> ColumnElement[bool]:
        return _OfTenant(row.tenant_id == tenant_id)

    return with_loader_criteria(OfTenant, of_tenant, include_aliases=True)


@event.listens_for(TenantSession, "do_orm_execute")
def _add_limits(state: ORMExecuteState) -> None:  # pyright: ignore[reportUnusedFunction]
    scope = cast(Scope, state.session.info[_KEY])
    if scope.tenant_id is None or scope.across or not state.is_orm_statement:
        return
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(*scope.limits)


@event.listens_for(TenantSession, "before_flush")
def _check_rows(session: Session, _context: UOWTransaction, _instances: object) -> None:  # pyright: ignore[reportUnusedFunction]
    scope = cast(Scope, session.info[_KEY])
    if not scope.across:
        for row in (*session.new, *session.dirty, *session.deleted):
            if isinstance(row, OfTenant):
                _check_row(row, scope)
    scope.is_flushing = True


@event.listens_for(TenantSession, "after_flush")
def _end_flush(session: Session, _context: UOWTransaction) -> None:  # pyright: ignore[reportUnusedFunction]
    cast(Scope, session.info[_KEY]).is_flushing = False


@event.listens_for(TenantSession, "after_soft_rollback")
def _end_failed_flush(session: Session, _transaction: object) -> None:  # pyright: ignore[reportUnusedFunction]
    cast(Scope, session.info[_KEY]).is_flushing = False


def _check_row(row: OfTenant, scope: Scope) -> None:
    told = cast(InstanceState[OfTenant], inspect(row)).attrs[TENANT_COLUMN].history
    owners = {*told.added, *told.unchanged, *told.deleted} - {None}
    if scope.tenant_id is None or owners != {scope.tenant_id}:
        raise TenantsMixed(
            f"a {type(row).__name__} of tenant {_shown(owners)} was changed in a session of "
            f"{_shown([scope.tenant_id])}"
        )


def _check(
    connection: Connection,
    _cursor: object,
    statement: str,
    _parameters: object,
    context: DefaultExecutionContext | None,
    _many: object,
) -> None:
    options: Mapping[str, Any] = connection.get_execution_options()
    scope = cast("Scope | None", options.get(_KEY))
    if scope is not None and scope.across:
        return
    compiled = None if context is None else context.compiled
    touched = _touched(statement, compiled)
    if not touched.tables:
        return
    if scope is None or scope.tenant_id is None:
        raise TenantsMixed(
            f"a statement on {_shown(touched.tables)} in a session of no tenant: make a repository "
            f"of the tenant first, or enter across_tenants. {statement}"
        )
    if compiled is None or context is None:
        raise TenantsMixed(f"SQL that does not say which value is the tenant: {statement}")
    if wrong := _objection(touched, scope, context):
        raise TenantsMixed(f"{wrong}: {statement}")


def _touched(statement: str, compiled: Compiled | None) -> Touched:
    if compiled is None:
        return touched_by(statement)
    if isinstance(compiled.statement, TextClause):
        return touched_by_text(compiled.statement.text)
    # As compiled, a statement is the same text however many values a list in it has.
    return touched_by(str(compiled))


def _objection(touched: Touched, scope: Scope, context: DefaultExecutionContext) -> str:
    """What is wrong with a statement on tenants' rows, if anything."""
    sets = [cast(Mapping[str, Any], one) for one in context.compiled_parameters]
    named = [[value for name, value in one.items() if _is_tenant(name)] for one in sets]
    given = {_owner(value) for values in named for value in values}
    if given - {scope.tenant_id}:
        return f"a statement for tenant {_shown(given)} in a session of {scope.tenant_id}"
    if touched.inserts and not all(named):
        return f"rows of {_shown(touched.inserts)} without a tenant"
    if touched.is_merging:
        return f"rows of {_shown(touched.inserts)} that may alter another tenant's"
    if touched.loose and not scope.is_flushing:
        return f"{_shown(touched.loose)} is not kept to the tenant"
    return ""


def _is_tenant(parameter: str) -> bool:
    """Whether a parameter is compared with, or put into, a column `tenant_id`, by its name."""
    return _PARAMETER.fullmatch(parameter) is not None


def _owner(value: object) -> object:
    """A tenant's id, where it is given as a text by hand, as the others are."""
    try:
        return UUID(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _shown(values: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, values))) or "nobody"
