"""The statement that makes an index, for a table that has another name as yet."""

from __future__ import annotations

from pglast import ast, parse_sql
from pglast.stream import RawStream

from ..errors import DefinitionError


def placed(statement: str, schema: str, table: str) -> str:
    """CREATE INDEX or ALTER TABLE … ADD CONSTRAINT on the table of that name.

    Raises DefinitionError for any other statement.
    """
    parsed = parse_sql(statement)
    one = parsed[0].stmt if len(parsed) == 1 else None
    if not isinstance(one, ast.IndexStmt | ast.AlterTableStmt):
        raise DefinitionError(
            f"an index of a view is made by one CREATE INDEX or ALTER TABLE, not by {statement!r}", code="INDEX"
        )
    one.relation.schemaname, one.relation.relname = schema, table
    return str(RawStream()(one))
