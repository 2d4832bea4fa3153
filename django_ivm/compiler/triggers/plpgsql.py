"""Steps → plpgsql text."""

from __future__ import annotations

from collections.abc import Iterable

from ..ir.statement import Bump, Each, Replan, Run, Step, variables_in, with_names, with_parameters
from ..pg import sql as q
from ..pg.names import digest


def dollar_quoted(text: str, tag: str) -> str:
    """`$tag$text$tag$`, with another tag when the text contains this one."""
    while f"${tag}$" in text:
        tag = f"{tag}_{digest(text)}"
    return f"${tag}${text}${tag}$"


def render(steps: Iterable[Step], *, replanned: bool = False) -> q.Fragment:
    """The steps as plpgsql statements; `replanned`: every statement is planned at each call (EXECUTE)."""
    return q.join("\n", [_step(step, replanned) for step in steps])


def _step(step: Step, replanned: bool) -> q.Fragment:
    if isinstance(step, Replan):
        return _execute(step.statement)
    if isinstance(step, Run):
        return _execute(step) if replanned else _static(step)
    if isinstance(step, Bump):
        return q.sql(
            "{order}\n{bump}\nIF NOT FOUND THEN\nIF NOT EXISTS (SELECT 1 FROM {table}) THEN\nPERFORM {rows}();\n"
            "{order}\n{bump}\nEND IF;\nEND IF;",
            order=_step(step.order, False), bump=_static(step.bump), table=step.table, rows=step.rows,
        )  # fmt: skip
    if isinstance(step, Each):
        rows = _executed(step.sql) if replanned else with_names(step.sql)
        # FOUND tells nothing of EXECUTE, and what is done for a row is small.
        return q.sql(
            "FOR {into} IN {rows} LOOP\n{then}\nEND LOOP;",
            into=[q.Fragment(name) for name in step.into], rows=rows, then=render(step.then),
        )  # fmt: skip
    then = render(step.then, replanned=replanned)
    if not step.otherwise:
        return q.sql("IF {c} THEN\n{t}\nEND IF;", c=step.condition, t=then)
    otherwise = render(step.otherwise, replanned=replanned)
    return q.sql("IF {c} THEN\n{t}\nELSE\n{o}\nEND IF;", c=step.condition, t=then, o=otherwise)


def _static(run: Run) -> q.Fragment:
    text = with_names(run.sql).text
    if run.into:
        return q.Fragment(f"{text} INTO {', '.join(run.into)};")
    if text.startswith("SELECT "):
        text = "PERFORM " + text.removeprefix("SELECT ")
    return q.Fragment(f"{text};")


def _execute(run: Run) -> q.Fragment:
    return q.sql("{e};", e=_executed(run.sql, run.into))


def _executed(sql: q.Fragment, into: tuple[str, ...] = ()) -> q.Fragment:
    text = dollar_quoted(with_parameters(sql).text, "ivm_q")
    taken = f" INTO {', '.join(into)}" if into else ""
    used = variables_in(sql)
    using = f" USING {', '.join(used)}" if used else ""
    return q.Fragment(f"EXECUTE {text}{taken}{using}")


def block(declarations: Iterable[tuple[str, str]], body: q.Fragment) -> q.Fragment:
    """DECLARE … BEGIN … END. A user's column may be called `new` or `tg_op`: a column wins over a variable."""
    declared = "".join(f"  {name} {type_};\n" for name, type_ in declarations)
    head = f"DECLARE\n{declared}" if declared else ""
    return q.Fragment(f"#variable_conflict use_column\n{head}BEGIN\n{body.text}\nEND")
