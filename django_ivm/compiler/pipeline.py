"""The whole flow, from canonical SQL to an installation. Read this first.

canonical SQL → AST → Relation → rewrites → MaintenancePlan → Installation
"""

from __future__ import annotations

from dataclasses import replace

from .errors import CompileError, Reason, Unsupported, reason
from .frontend.bind import Binder, Bound
from .frontend.locate import place, position_of
from .frontend.parse import parse_query
from .frontend.probes import Probes
from .frontend.temporal import check_stored, check_timeless
from .frontend.volatility import check_functions
from .ir.relation import Relation
from .maintenance.choice import Choices
from .maintenance.levels import plan_maintenance
from .maintenance.plan import MaintenancePlan
from .options import Options
from .pg.catalog import Catalog
from .rewrites import CHOOSING, RULES
from .trace import Trace
from .triggers.installation import Installation, install_full, install_incremental


def compile_view(
    canonical_sql: str, catalog: Catalog, options: Options | None = None, trace: Trace | None = None
) -> Installation:
    """Compile a view. Pure: everything about the database comes from `catalog`.

    A query that isn't kept incrementally yields an installation for full refreshes, with its reasons.
    Raises CompileError when the catalog lacks something, which `analyse` would have put there.
    """
    options = options or Options()
    trace = trace or Trace(enabled=False)
    ast = trace.step("ast", parse_query(canonical_sql))
    if options.strategy == "full":
        return install_full(ast.text, catalog, options, (Reason("STRATEGY", "the view asks for full refreshes"),))
    try:
        check_functions(catalog)
        bound = trace.step("ir", bind(ast.node, catalog, options))
        choices = Choices(catalog.tables, options.prefer, dict(options.settled))
        core = rewrite(bound.relation, trace, choices)
        if bound.read:
            check_stored(core, bound.read.outputs)
        planned = plan_maintenance(core, bound.outputs, catalog, options, bound.read)
        for node in planned.nodes:
            check_timeless(node.store.fill().text)
        plan: MaintenancePlan = trace.step("plan", replace(planned, choices=tuple(choices.made.values())))
    except Unsupported as refusal:
        where = place(catalog.user_sql, position_of(catalog.user_sql, refusal.find))
        return install_full(ast.text, catalog, options, (reason(refusal.code, refusal.message, where),))
    return trace.step("sql", install_incremental(plan, ast.text, catalog, options))


def bind(node: object, catalog: Catalog, options: Options) -> Bound:
    """AST → Relation; all types must be known."""
    probes = Probes(catalog.types)
    bound = Binder(catalog, probes, options.columns).query(node)
    if probes.missing:
        raise CompileError(f"types to be probed first: {', '.join(probes.missing)}")
    if bound.read and (options.model or options.mode == "manual"):
        what = "a model's table" if options.model else "a view in manual mode"
        raise Unsupported("TEMPORAL", f"{what} can't apply {bound.read.shown} when it is read", bound.read.find)
    return bound


def missing_types(canonical_sql: str, catalog: Catalog) -> tuple[str, ...]:
    """Probes whose answers the catalog lacks so far; empty when it is complete or the query is refused."""
    probes = Probes(catalog.types)
    try:
        Binder(catalog, probes, ()).query(parse_query(canonical_sql).node)
    except Unsupported:
        return ()
    return tuple(probes.missing)


def rewrite(relation: Relation, trace: Trace, choices: Choices) -> Relation:
    """Apply every rule in order; a rule that changes the schema is a defect and is named."""
    for rule in RULES:
        arguments = (relation, choices) if rule in CHOOSING else (relation,)
        rewritten = trace.step(rule.__name__, rule(*arguments))
        before = [(c.name, c.type.sql) for c in relation.schema]
        if [(c.name, c.type.sql) for c in rewritten.schema] != before:
            raise CompileError(f"the rewrite {rule.__name__} changed the schema")
        relation = rewritten
    return relation
