"""A connector: named queries of SQLite databases as tools.

`NAME.sql` beside a database `NAME.db` holds the queries, each begun by a line
`-- tool: NAME  DESCRIPTION`; parameters are written `:parameter`. Databases are opened for reading
only.
"""

import asyncio
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bascule.plugins import ConnectorCall, ConnectorFailed, ConnectorTool, RiskLevel

_HEADING: Final = re.compile(r"^-- tool: (\S+)\s+(.+)$", re.MULTILINE)
_PARAMETER: Final = re.compile(r":([a-z_][a-z0-9_]*)")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,50}")
_MOST_ROWS: Final = 1_000


@dataclass(frozen=True)
class _Query:
    name: str
    description: str
    statement: str

    @property
    def parameters(self) -> list[str]:
        return list(dict.fromkeys(_PARAMETER.findall(self.statement)))


class NamedQueries:
    """Serves the queries of one folder; an address is the name of a database in it."""

    def __init__(self, folder: str) -> None:
        """Raises ValueError where there is no such folder."""
        self._folder = Path(folder)
        if not self._folder.is_dir():
            raise ValueError(f"queries: {folder} is no folder")

    async def describe(self, address: str) -> Sequence[ConnectorTool]:
        """One tool for each query."""
        return [_tool(query) for query in self._read(address).values()]

    async def execute(self, call: ConnectorCall) -> object:
        """Run a query; the rows as objects."""
        query = self._read(call.address).get(call.operation)
        if query is None:
            raise ConnectorFailed("This query is not there any more.", unreached=True)
        path = self._path(call.address, ".db")
        rows = await asyncio.to_thread(_rows, path, query, call.arguments)
        return {"rows": rows}

    def _read(self, address: str) -> Mapping[str, _Query]:
        try:
            text = self._path(address, ".sql").read_text()
        except OSError as error:
            raise ConnectorFailed(f"{address}.sql cannot be read.", private=str(error)) from None
        parts = _HEADING.split(text)
        found = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
        return {name: _Query(name, about, statement.strip()) for name, about, statement in found}

    def _path(self, address: str, suffix: str) -> Path:
        # An address is a name, never a path: nothing outside of the folder can be named.
        if _NAME.fullmatch(address) is None:
            raise ConnectorFailed("An address is the name of a database.", unreached=True)
        return self._folder / f"{address}{suffix}"


def _tool(query: _Query) -> ConnectorTool:
    return ConnectorTool(
        operation=query.name,
        name=query.name,
        description=query.description,
        input_schema={
            "type": "object",
            "properties": {name: {"type": ["string", "number"]} for name in query.parameters},
            "required": query.parameters,
            "additionalProperties": False,
        },
        output_schema={
            "type": "object",
            "properties": {"rows": {"type": "array", "items": {"type": "object"}}},
            "required": ["rows"],
        },
        risk=RiskLevel.READ,
        idempotent=True,
    )


def _rows(path: Path, query: _Query, arguments: Mapping[str, object]) -> list[dict[str, object]]:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(query.statement, dict(arguments)).fetchmany(_MOST_ROWS)
            return [dict(row) for row in found]
    except sqlite3.Error as error:
        raise ConnectorFailed("The query failed.", private=str(error)) from None
