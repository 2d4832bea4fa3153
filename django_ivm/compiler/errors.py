"""Refusals. A construct that isn't proven gets a code, a place and a hint, and the view a correct full refresh."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a view isn't kept incrementally, or (code `WHOLE`) why a write reads a whole source.

    `location` is a place in the user's own text: `line 3, column 8: …the text there`.
    """

    code: str
    message: str
    hint: str = ""
    location: str = ""


class Unsupported(Exception):
    """A construct that has no proven rule. `find` is the text or node name to look for in the user's own query."""

    def __init__(self, code: str, message: str, find: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.find = find


class CompileError(Exception):
    """The canonical SQL and the catalog don't belong together: a defect of the caller, never of the view."""


# code -> hint; the message is made where the construct is met. A test asserts that each code has a golden case.
HINTS: dict[str, str] = {
    "JOIN": "Leave the join without an alias and name the columns of its inputs.",
    "SIZE": "Split the query into views that read each other.",
    "SUBQUERY": "Write the subquery as a join with a grouped subquery in FROM.",
    "GROUPING": "Use several views: each grouping set is a maintained relation of its own.",
    "RECURSIVE": "Write a base UNION a step that joins the CTE once, without aggregates, DISTINCT ON or LIMIT over it.",
    "LATERAL": "Write the lateral item as an ordinary join.",
    "VALUES": "Write the rows as SELECT … UNION ALL SELECT ….",
    "SRF": "Call it in a subquery of its own, with names for its columns: LATERAL (SELECT … FROM f(…) AS f (a, b)).",
    "SAMPLE": "A sample changes with every reading; refresh it in full.",
    "LOCKING": "Leave FOR UPDATE / FOR SHARE out of a view.",
    "LIMIT": "Write the number itself after LIMIT and OFFSET.",
    "ORDER": "End ORDER BY with columns that are unique and not null, such as the primary key.",
    "AGGREGATE": "Give the function or the aggregate a name of its own.",
    "KEY_TYPE": "Cast the key to an ordered type whose equal values look alike, e.g. numeric(12,2), text or bigint.",
    "VOLATILE": "Filter by time or chance when reading the view.",
    "STABLE": "Filter by role when reading the view; PostgreSQL's functions that follow nothing but settings are kept.",
    "TEMPORAL": "Filter by time when reading the view, or in the outermost WHERE of a view without a model.",
    "SYSTEM_COLUMN": "Use a column of the table instead.",
    "WHOLE_ROW": "Name the columns.",
    "SOURCE": "Read tables that take triggers and that the installing role may read, or other maintained views.",
    "INHERITANCE": "Read the topmost table, and not together with one below it.",
    "TEMPORARY": "A temporary table is seen by one session only; use an ordinary table.",
    "FUNCTION_OWNER": "Let the view's owner or a superuser own the function.",
    "ROW_SECURITY": "Read the table itself, as a role that its policies don't apply to: its owner without FORCE, "
    "a superuser, or one with BYPASSRLS.",
    "EXPRESSION": "Use plain expressions of the row's own columns.",
    "STRATEGY": "",
    "WHOLE": "Group or partition by something, or accept that a write may read the whole source.",
}


def reason(code: str, message: str, location: str = "") -> Reason:
    """A reason with the hint that belongs to its code."""
    return Reason(code=code, message=message, hint=HINTS[code], location=location)
