"""What each directive of a golden file does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pglast
from django.db import DatabaseError, connection, transaction
from pglast import ast

from django_ivm.compiler import Options, compile_view
from django_ivm.compiler.frontend.parse import parse_query
from django_ivm.compiler.ir.relation import WEIGHT, Compiled, Relation, emit
from django_ivm.compiler.maintenance.delta import Before, Change, emit_delta
from django_ivm.compiler.maintenance.plan import Node
from django_ivm.compiler.pg import sql as q
from django_ivm.compiler.pg.print import structure
from django_ivm.compiler.pipeline import bind
from django_ivm.compiler.rewrites import RULES, lower_distinct
from django_ivm.compiler.trace import Trace
from django_ivm.engine import install
from django_ivm.engine.analyse import analyse
from django_ivm.engine.results import Reason
from django_ivm.engine.spec import ViewSpec
from django_ivm.engine.view import View
from django_ivm.errors import DefinitionError, NotIncrementalError

from . import oracle
from .datadriven import BadFile, Block
from .script import check_script

SCHEMA = "golden"
_ALLOWED = {
    "tables": set(), "view": {"name", "mode", "strategy", "surrogate", "model", "alike", "open"}, "ir": set(), "plan": set(),
    "stage": {"of"}, "sql": {"of", "source", "level"}, "rewrite": {"expect", "expect-not"}, "probe": set(),
    "fails": {"strategy", "as"}, "step": {"message"}, "error": set(),
}  # fmt: skip


@dataclass
class Session:
    """One golden file's database: a schema of its own in a transaction that is rolled back."""

    installed: list[oracle.Installed] = field(default_factory=list)
    probes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.run(f"CREATE SCHEMA {SCHEMA}")
        self.run(f"SET LOCAL search_path = {SCHEMA}, public")
        oracle.count_calls()

    def execute(self, block: Block) -> str:
        """The block's output."""
        directives: dict[str, Callable[[Block], str]] = {
            "tables": self.tables, "view": self.view, "ir": self.ir, "plan": self.plan, "stage": self.stage,
            "sql": self.sql, "rewrite": self.rewrite, "probe": self.probe, "fails": self.fails,
            "step": self.step, "error": self.error,
        }  # fmt: skip
        if block.command not in directives:
            raise BadFile(f"unknown directive {block.command}")
        unknown = block.arguments.keys() - _ALLOWED[block.command]
        if unknown:
            raise BadFile(f"{block.command} takes no {', '.join(sorted(unknown))}")
        return short(directives[block.command](block))

    def run(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    @property
    def last(self) -> oracle.Installed:
        return self.installed[-1]

    # Definitions

    def tables(self, block: Block) -> str:
        self.run(block.body)
        oracle.check(self.installed, oracle.full_refreshes(), truncated=True)
        return ""

    def view(self, block: Block) -> str:
        installed = self.install(block)
        return "\n".join([described(installed), core_tree(installed.compiled.trace)])

    def install(self, block: Block) -> oracle.Installed:
        given = block.arguments
        spec = ViewSpec(
            name=given["name"],
            sql=block.body,
            mode=given.get("mode", "immediate"),
            strategy=given.get("strategy", "auto"),
            surrogate=given.get("surrogate"),
            label="golden.View" if "model" in given or "surrogate" in given else "",
        )
        compiled = install.plan(spec, connection)
        install.install(spec, connection)
        loose = {name: tuple(filter(None, given.get(name, "").split(","))) for name in ("alike", "open")}
        installed = oracle.Installed(compiled, View(spec.name), **loose)
        plan = compiled.installation.plan
        if plan and any(loose.values()) and (plan.alike, plan.open) != (loose["alike"], loose["open"]):
            raise oracle.OracleError(f"compared by equality: {plan.alike}, not compared: {plan.open}")
        self.installed.append(installed)
        check_script(installed.installation)
        check_compiles_alike(installed)
        oracle.check_equal(installed)
        return installed

    # Stages

    def ir(self, block: Block) -> str:
        return step_of(self.last.compiled.trace, "ir")

    def plan(self, block: Block) -> str:
        return step_of(self.last.compiled.trace, "plan")

    def stage(self, block: Block) -> str:
        if block.arguments["of"] == "ast":
            return "\n".join(line.strip() for line in self.last.installation.canonical_sql.splitlines())
        return step_of(self.last.compiled.trace, block.arguments["of"])

    def sql(self, block: Block) -> str:
        """One SELECT of the last view, as text that parses to the same tree."""
        plan = self.last.installation.plan
        assert plan is not None
        node = plan.nodes[int(block.arguments.get("level", len(plan.nodes))) - 1]
        if block.arguments["of"] == "fill":
            return pretty(node.store.fill().text)
        return pretty(_change(node, block.arguments["source"]))

    def rewrite(self, block: Block) -> str:
        """Run all rules; each stage must give the rows of the query."""
        canonical, catalog = analyse(connection, block.body)
        bound = bind(parse_query(canonical).node, catalog, Options())
        relation, changed = bound.relation, {}
        self._check_stage("bind", relation, bound.outputs, block.body)
        for rule in RULES:
            after = rule(relation)
            self._check_stage(rule.__name__, after, bound.outputs, block.body)
            if str(after) != str(relation):
                changed[rule.__name__] = (str(relation), str(after))
            relation = after
        expected = [name for name in block.arguments.get("expect", "").split(",") if name]
        for name in expected:
            if name not in changed:
                raise oracle.OracleError(f"{name} changed nothing; {', '.join(changed) or 'no rule'} did")
        for name in filter(None, block.arguments.get("expect-not", "").split(",")):
            if name in changed:
                before, after_text = changed[name]
                raise oracle.OracleError(f"{name} changed\n{before}\nto\n{after_text}")
        if not expected:
            return str(relation)
        return f"{changed[expected[0]][0]}\n=>\n{changed[expected[-1]][1]}"

    def _check_stage(self, name: str, relation: Relation, outputs: tuple[str, ...], sql: str) -> None:
        columns = [q.ident(output) for output in outputs]
        select = emit(lower_distinct(relation)).select  # Distinct itself has no SQL: it is only lowered
        compiled = q.sql("SELECT {c} FROM ({s}) ivm_stage", c=columns, s=select).text
        wrong = oracle.difference(compiled, sql)
        if wrong:
            raise oracle.OracleError(f"after {name} the query has other rows (<: ours)\n" + "\n".join(wrong))

    # Refusals

    def probe(self, block: Block) -> str:
        self.probes = list(pglast.split(block.body))
        return ""

    def fails(self, block: Block) -> str:
        """A refusal, everywhere alike, and a fallback that is right."""
        spec = ViewSpec(
            name=block.arguments.get("as", "refused"),
            sql=block.body,
            strategy=block.arguments.get("strategy", "auto"),
        )
        with transaction.atomic():
            try:
                found = self._fallback(spec)
            except DefinitionError as error:
                place = [f"  at {error.location}"] if error.location else []
                found = "\n".join([f"refused {error.code}: {error.message}", *place, f"  hint: {error.hint}"])
            transaction.set_rollback(True)
        transaction.set_rollback(False)
        return found

    def _fallback(self, spec: ViewSpec) -> str:
        compiled = install.plan(spec, connection)
        if compiled.strategy != "full":
            raise oracle.OracleError("the query was expected to be refused, and is kept incrementally")
        install.install(spec, connection)
        installed = oracle.Installed(compiled, View(spec.name))
        check_script(installed.installation)
        oracle.check_equal(installed)
        for statement in self.probes:
            self.run(statement)
            oracle.check([installed], oracle.full_refreshes(), truncated=False)
            installed.view.refresh()
            oracle.check_equal(installed)
        if not self.probes:
            raise BadFile("`fails` needs a `probe` before it")
        (reason,) = compiled.reasons
        shown = installed.view.explain()
        if shown.reasons != (reason,) or reason.code not in str(shown):
            raise oracle.OracleError(f"explain() tells another reason: {shown.reasons}")
        if spec.strategy == "auto":
            _check_incremental_refused(spec, reason)
        return "\n".join(reason_lines(reason))

    # Writes

    def step(self, block: Block) -> str:
        """Run statements one by one, comparing every view after each."""
        before = {one.view.name: one.rows() for one in self.installed}
        statements = [block.body] if "message" in block.arguments else list(pglast.split(block.body))
        for statement in statements:
            refreshes = oracle.full_refreshes()
            self.run(statement)
            oracle.check(self.installed, refreshes, truncated=truncates(statement))
        oracle.refresh(self.installed)
        lines = []
        for one in self.installed:
            found = oracle.changes(before[one.view.name], one.rows())
            if len(self.installed) > 1 and found:
                lines.append(f"{one.view.name}:")
            lines += found
        return "\n".join(lines)

    def error(self, block: Block) -> str:
        """Statements that must fail, and leave every view as it was."""
        refreshes = oracle.full_refreshes()
        try:
            with transaction.atomic():
                self.run(block.body)
        except DatabaseError as error:
            found = error.__cause__.diag  # type: ignore[union-attr]
            hint = [f"  hint: {found.message_hint}"] if found.message_hint else []
            oracle.check(self.installed, refreshes, truncated=False)
            return "\n".join([f"{found.sqlstate}: {found.message_primary}", *hint])
        raise oracle.OracleError("PostgreSQL accepted the statements")


def _check_incremental_refused(spec: ViewSpec, reason: Reason) -> None:
    """strategy="incremental" turns the same reason into an error."""
    strict = ViewSpec(name=f"{spec.name}_strict", sql=spec.sql, strategy="incremental")
    try:
        install.plan(strict, connection)
    except NotIncrementalError as error:
        if (error.code, error.hint, error.location) != (reason.code, reason.hint, reason.location):
            raise oracle.OracleError(f"the error tells {error.code} {error.location}, the reason {reason}") from error
        return
    raise oracle.OracleError('strategy="incremental" accepted what is refreshed in full')


def truncates(statement: str) -> bool:
    """The statement is a TRUNCATE."""
    return any(isinstance(one.stmt, ast.TruncateStmt) for one in pglast.parse_sql(statement))


def described(installed: oracle.Installed) -> str:
    """Strategy and reasons."""
    lines = [installed.compiled.strategy]
    for reason in installed.compiled.reasons:
        lines += reason_lines(reason)
    return "\n".join(lines)


def reason_lines(reason: Reason) -> list[str]:
    place = [f"  at {reason.location}"] if reason.location else []
    hint = [f"  hint: {reason.hint}"] if reason.hint else []
    return [f"{reason.code}: {reason.message}", *place, *hint]


def step_of(trace: Trace, name: str) -> str:
    """The text after a step; a step that changed nothing shows the one before."""
    text = ""
    for step, shown in trace.steps:
        text = text if shown == "same as above" else shown
        if step == name:
            return text
    raise BadFile(f"the view has no stage {name}")


def core_tree(trace: Trace) -> str:
    """The tree that the plan is made of, or nothing for a query without one."""
    names = [name for name, _ in trace.steps]
    return step_of(trace, RULES[-1].__name__) if RULES[-1].__name__ in names else ""


def _change(node: Node, source: str) -> str:
    """The change of a node when one source changed, or (`*`) any of them."""

    def leaf(relation: Relation) -> Compiled:
        assert isinstance(relation, Change | Before)
        kind = "change" if isinstance(relation, Change) else "before"
        columns = [*relation.scan.select_list(), q.ident(WEIGHT)]
        table = q.ident(f"{kind}_of_{relation.scan.table}")
        return Compiled(q.sql("SELECT {c} FROM {t}{a}", c=columns, t=table, a=relation.scan.alive()), True)

    if source == "*":
        return emit_delta(node.joint_change(), leaf).select.text
    return emit_delta(node.change(next(s for s in node.sources if s.table == source)), leaf).select.text


def pretty(text: str) -> str:
    """Indented SQL that parses to the same tree."""
    shown = "\n".join(line for line in pglast.prettify(text, compact_lists_margin=110).splitlines() if line.strip())
    if structure(pglast.parse_sql(shown)) != structure(pglast.parse_sql(text)):
        raise oracle.OracleError(f"prints as another statement:\n{shown}\nfrom\n{text}")
    return shown


def short(text: str) -> str:
    """Without the schema of the goldens."""
    return re.sub(rf"\b{SCHEMA}\.", "", text)


def check_compiles_alike(installed: oracle.Installed) -> None:
    """Compiling the same catalog again gives the same statements."""
    compiled = installed.compiled
    again = compile_view(compiled.installation.canonical_sql, compiled.catalog, compiled.installation.options)
    if again.statements() != compiled.installation.statements():
        raise oracle.OracleError("a second compilation differs")
