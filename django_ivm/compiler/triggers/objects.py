"""Database objects that an installation consists of, as values that know their SQL."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..pg import sql as q
from ..pg.names import RUNTIME_SCHEMA, digest
from ..pg.shared import MAINTAINING_PATH
from .plpgsql import dollar_quoted

PINNED = (("search_path", MAINTAINING_PATH),)


@dataclass(frozen=True)
class Function:
    """A plpgsql function in our schema. Nobody else may call it: otherwise any role could attach it to a table of its
    own and forge rows in the view. With `definer` it runs with its owner's rights under a pinned search_path; without,
    it touches nothing but a setting, and is cheaper."""

    schema: str
    name: str
    returns: str
    body: q.Fragment
    settings: tuple[tuple[str, str], ...] = ()
    arguments: str = ""
    definer: bool = True

    @property
    def signature(self) -> q.Fragment:
        types = ", ".join(part.split()[-1] for part in self.arguments.split(",") if part and " OUT " not in f" {part}")
        return q.Fragment(f"{q.qualified(self.schema, self.name)}({types})")

    def pinned(self, settings: tuple[tuple[str, str], ...]) -> Function:
        """The same function under settings with these values, in the place of any that it has of that name."""
        if not settings or not self.definer:
            return self
        names = {name.lower() for name, _ in settings}
        kept = tuple((name, value) for name, value in self.settings if name.lower() not in names)
        return replace(self, settings=kept + tuple((name, q.literal(value).text) for name, value in settings))

    def statements(self) -> list[str]:
        settings = "".join(f" SET {name} = {value}" for name, value in PINNED + self.settings)
        security = f" SECURITY DEFINER{settings}" if self.definer else ""
        returns = f" RETURNS {self.returns}" if self.returns else ""
        return [
            f"CREATE OR REPLACE FUNCTION {q.qualified(self.schema, self.name)}({self.arguments}){returns} "
            f"LANGUAGE plpgsql{security} AS {dollar_quoted(self.body.text, 'ivm_body')}",
            f"REVOKE ALL ON FUNCTION {self.signature} FROM PUBLIC",
        ]


@dataclass(frozen=True)
class TriggerSpec:
    """A statement-level trigger on a table and, unless it shares one, the function that it runs.

    `events` are INSERT, UPDATE, DELETE, TRUNCATE; `old` and `new` name transition tables; `function` is run. A trigger
    with `replica` fires under session_replication_role = replica and only there.
    """

    name: str
    schema: str
    table: str
    timing: str
    events: tuple[str, ...]
    function: Function
    old: str = ""
    new: str = ""
    when: str = ""
    replica: bool = False

    @property
    def hash(self) -> str:
        """Changes whenever what the trigger does changes; kept as the trigger's comment."""
        return digest(self.create_sql(), *self.function.statements())

    def create_sql(self) -> str:
        """CREATE OR REPLACE TRIGGER, which takes no stronger lock than the first creation."""
        tables = [f"OLD TABLE AS {self.old}"] * bool(self.old) + [f"NEW TABLE AS {self.new}"] * bool(self.new)
        referencing = f" REFERENCING {' '.join(tables)}" if tables else ""
        when = f" WHEN ({self.when})" if self.when else ""
        return (
            f"CREATE OR REPLACE TRIGGER {q.ident(self.name)} {self.timing} {' OR '.join(self.events)} "
            f"ON {q.qualified(self.schema, self.table)}{referencing} FOR EACH STATEMENT{when} "
            f"EXECUTE FUNCTION {self.function.signature}"
        )

    def enable_sql(self) -> list[str]:
        """What makes a new trigger fire where it should."""
        if not self.replica:
            return []
        enable = q.sql(
            "SELECT {f}({t}, {n})",
            f=q.qualified(RUNTIME_SCHEMA, "fire_for_replicas"),
            t=q.literal(q.qualified(self.schema, self.table).text),
            n=q.literal(self.name),
        )
        return [enable.text]

    def comment_sql(self) -> str:
        table = q.qualified(self.schema, self.table)
        return f"COMMENT ON TRIGGER {q.ident(self.name)} ON {table} IS '{self.hash}'"

    def drop_sql(self) -> str:
        return f"DROP TRIGGER IF EXISTS {q.ident(self.name)} ON {q.qualified(self.schema, self.table)}"

    def statements(self) -> list[str]:
        return [*self.function.statements(), self.create_sql(), *self.enable_sql(), self.comment_sql()]
