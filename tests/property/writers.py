"""The user's own code in the database: triggers, rules and functions that write as part of another write."""

from __future__ import annotations

from .dice import Dice
from .schemas import Table, insert, literal


def _written(dice: Dice, tables: list[Table]) -> str:
    """A statement that the user's code runs."""
    target, values = dice.pick(tables), dice.fork()
    column = dice.pick([c for c in target.writable if c.name not in target.key] or list(target.writable))
    update = f"UPDATE {target.sql} SET {column.sql} = {literal(column.value(values))}"
    wheres = ["", f" WHERE {column.sql} IS NULL"]
    if column.kind.sql != "json":
        wheres.append(f" WHERE {column.sql} = {literal(column.kind.value(values))}")
    where = dice.pick(wheres)
    return dice.pick((insert(target, [target.row(values)]), update + where, f"DELETE FROM {target.sql}{where}"))


def draw_trigger(dice: Dice, tables: list[Table]) -> list[str]:
    """A trigger that writes the same or another table; only for statements that no trigger runs."""
    on = dice.pick(tables)
    when, level = dice.weighted(
        {
            ("AFTER", "ROW"): 6,
            ("BEFORE", "ROW"): 3,
            ("AFTER", "STATEMENT"): 1,
            ("BEFORE", "STATEMENT"): 1,
            ("DEFERRED", "ROW"): 2,
        }
    )
    events = dice.pick(("INSERT", "UPDATE", "DELETE", "INSERT OR UPDATE OR DELETE"))
    result = "RETURN coalesce(NEW, OLD)" if level == "ROW" else "RETURN NULL"
    extra = ""
    if (when, level) == ("BEFORE", "ROW") and dice.chance(60):
        column = dice.pick([c for c in on.writable if c.name not in on.key] or list(on.writable))
        changed = f"NEW.{column.sql} := {literal(column.kind.value(dice.fork()))};"
        skipped = "IF pg_trigger_depth() = 1 THEN RETURN NULL; END IF;"
        extra = f"IF TG_OP = 'INSERT' THEN {dice.pick((changed, skipped))} END IF; "
    body = f"BEGIN IF pg_trigger_depth() < 2 THEN {_written(dice, tables)}; END IF; {extra}{result}; END"
    name = dice.pick(("a_first", "zz_last"))  # before and after ours
    # Deferred ones run when the session may be in another schema.
    function = (
        f"CREATE FUNCTION write_more() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ {body} $$"
    )
    if when == "DEFERRED" and not on.partitions:
        trigger = f"CREATE CONSTRAINT TRIGGER {name} AFTER {events} ON {on.sql} DEFERRABLE INITIALLY DEFERRED"
    else:
        trigger = f"CREATE TRIGGER {name} {when.replace('DEFERRED', 'AFTER')} {events} ON {on.sql}"
    return [function, f"{trigger} FOR EACH {level} EXECUTE FUNCTION write_more()"]


def draw_rule(dice: Dice, tables: list[Table]) -> list[str]:
    """A rule that adds a statement, or takes the statement's place."""
    on = dice.pick(tables)
    others = [t for t in tables if t is not on]
    event = dice.pick(("INSERT", "UPDATE", "DELETE"))
    how = dice.pick(("ALSO", "ALSO", "INSTEAD"))
    return [f"CREATE RULE more AS ON {event} TO {on.sql} DO {how} {_written(dice, others)}"]


def draw_function(dice: Dice, tables: list[Table]) -> list[str]:
    """A function that writes inside whatever calls it."""
    body = f"BEGIN {_written(dice, tables)}; RETURN 3; END"
    return [f"CREATE FUNCTION writer() RETURNS int LANGUAGE plpgsql AS $$ {body} $$"]
