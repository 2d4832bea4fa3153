"""Capture: the trigger functions of one node, which see every change of its sources once.

A statement can change several sources, or one by several events (cascade, modifying CTE, upsert, MERGE, triggers of
the user's own), and then every AFTER trigger sees all of it done. So BEFORE triggers count the events in flight in a
transaction-local setting. An AFTER trigger that is alone (depth 1, nothing spooled) applies its transition tables
directly; any other spools, and the last one applies all of it jointly. The setting is stamped with the time of the
client's statement: at a new statement nothing can be in flight, so what is left over there is a leak and is healed by
computing the node anew.

The setting's value is `stamp/depth/pending`, empty when nothing is in flight. A write to a source by something that
runs while the change is being applied shows as a changed value afterwards, and is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import Compiled, Kind, Relation
from ..ir.statement import Step
from ..maintenance.delta import Change, emit_delta, keeps_sign
from ..maintenance.levels import lock_table
from ..maintenance.plan import Node, Source
from ..maintenance.stores import AggregateStore, BagStore, KeyedStore, PartitionStore
from ..pg import names
from ..pg import sql as q
from ..pg.shared import ROW_TEXT_SETTINGS
from .guarded import DECLARED, Guard
from .joint import Joint
from .locking import DECLARED as LOCKING
from .locking import lock_steps
from .marking import SETTINGS as MARK_SETTINGS
from .objects import Function, TriggerSpec
from .pieces import DOUBTFUL_MERGE, FOREIGN, NEEDS, changed_rows, own_table, transition
from .plpgsql import block, render
from .replacing import replace_function
from .spool import SMALL_ROWS, Spool, settings_for_text

EVENTS = ("insert", "update", "delete")
# The same text under any settings.
STAMP = (
    "(pg_catalog.date_part('epoch', pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000000)"
    "::bigint::pg_catalog.text"
)
_STATE = (("ivm_state", "text"), ("ivm_stamp", "text"), ("ivm_depth", "integer"), ("ivm_pending", "text"))
# A plan for a small change looks rows up by index, whatever the tables hold when it is made: a static plan is made
# once in a connection, maybe while a table is empty, and an estimate of ten rows must not hash a whole source.
INDEXED = (("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("jit", "off"))
# PostgreSQL prices `= ANY(variable)` so that it would plan such a statement anew at every call. EXECUTE isn't affected.
PLANNED_ONCE = (("plan_cache_mode", "force_generic_plan"),)
_PLAN_FREELY = q.Fragment(
    "PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true), "
    "set_config('enable_mergejoin', 'on', true);"
)


@dataclass(frozen=True)
class Capture:
    """Functions and triggers of one node. `prefix` begins every object's name, `view` is (schema, name). `guard` is
    there when a failing maintenance may not fail the write."""

    node: Node
    prefix: str
    view: tuple[str, str]
    guard: Guard | None = None

    # Names

    def name(self, *parts: object) -> str:
        return names.derived(self.prefix, self.node.number, *parts)

    @property
    def setting(self) -> str:
        return f"ivm.n{self.prefix[-8:]}_{self.node.number}"

    def spool(self, source: Source) -> Spool:
        return Spool(source, self.name("spool", source.number), f"{self.setting}_s{source.number}")

    @property
    def spools(self) -> tuple[Spool, ...]:
        return tuple(self.spool(source) for source in self.node.sources) if self.node.counted else ()

    @property
    def locks(self) -> q.Fragment:
        return q.qualified(names.RUNTIME_SCHEMA, lock_table(self.prefix, self.node.number))

    # Properties of the plan

    @property
    def joins(self) -> bool:
        return any(part.kind is Kind.BILINEAR for part in self.node.store.child.walk())

    @property
    def replanned(self) -> bool:
        """Many rows need a plan of their own: anything but an upsert of folded groups."""
        return self.joins or not isinstance(self.node.store, AggregateStore)

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """Static statements are planned once, maybe while a table is empty: only index look-ups stay right."""
        found: dict[str, str] = {}
        if self.replanned or self.node.store.reads_sources:
            found |= dict(INDEXED + PLANNED_ONCE)
        return tuple((found | self.text_settings).items())

    @property
    def text_settings(self) -> dict[str, str]:
        if self.node.store.text_of_rows:
            return dict(ROW_TEXT_SETTINGS)
        types = tuple(column.type for source in self.node.sources for scan in source.leaves for column in scan.schema)
        return dict(settings_for_text(types)) if self.node.counted else {}

    # Functions

    def replace(self) -> Function:
        """Make the node equal to its query, as a difference: refresh, TRUNCATE, healing."""
        settings = (("jit", "off"), *self.text_settings.items())
        return replace_function(
            self.name("replace"), self.node.store, settings, self.locks if self.node.locks else None
        )

    def enter(self) -> Function:
        """BEFORE: one more event in flight. The common case in two short expressions: each costs anew in every
        transaction, the more the longer it is."""
        # It runs under the writer's search_path, so every function and operator is qualified.
        state = q.sql("coalesce(pg_catalog.current_setting({s}, true), '')", s=q.literal(self.setting))
        body = q.sql(
            "IF {state} OPERATOR(pg_catalog.=) '' THEN\n"
            "ivm_state := pg_catalog.set_config({s}, pg_catalog.concat({stamp}, '/1/'), true);\nELSE\n"
            "ivm_state := pg_catalog.set_config({s}, CASE "
            "WHEN pg_catalog.split_part({state}, '/', 1) OPERATOR(pg_catalog.=) {stamp} "
            "THEN pg_catalog.concat({stamp}, '/', pg_catalog.split_part({state}, '/', 2)::integer "
            "OPERATOR(pg_catalog.+) 1, '/', pg_catalog.split_part({state}, '/', 3)) "
            "ELSE pg_catalog.concat({stamp}, '/1/!') END, true);\nEND IF;\nRETURN NULL;",
            s=q.literal(self.setting),
            state=state,
            stamp=q.Fragment(STAMP),
        )
        return Function(
            names.RUNTIME_SCHEMA, self.name("enter"), "trigger", block((("ivm_state", "text"),), body), definer=False
        )

    def flush(self) -> Function:
        """Apply everything spooled, jointly."""
        settings = (*INDEXED, *PLANNED_ONCE, *self.text_settings.items())
        declared, body = Joint(self.node, self.spools, self.locks).flush(self._call("replace"), _PLAN_FREELY)
        return Function(
            names.RUNTIME_SCHEMA, self.name("flush"), "void", block(declared, body), settings, "ivm_pending text"
        )

    def _call(self, what: str) -> q.Fragment:
        return q.qualified(names.RUNTIME_SCHEMA, self.name(what))

    def after(self, source: Source, event: str) -> Function:
        """AFTER an event of one source."""
        body = self._counted_body(source, event) if self.node.counted else self._plain_body(source, event)
        if event == "update" and source.partitioned:
            body = q.sql("{doubt}\n{body}", doubt=self._doubt_merge(), body=body)
        declared = list(_STATE) if self.node.counted else []
        if self.node.locks:
            declared += LOCKING
        if self.replanned:
            declared.append(("ivm_many", "bigint"))
        if self._may_nest(source) and event != "insert":
            declared.append(("ivm_state", "text"))
        declared += self.node.store.declarations
        return self._trigger_function(source, event, declared, body)

    def _doubt_merge(self) -> q.Fragment:
        """The view says that it is stale wherever a MERGE may have moved rows between partitions."""
        return q.sql(
            "IF {doubtful} THEN\n{stale}\nEND IF;",
            doubtful=DOUBTFUL_MERGE,
            stale=self._mark_stale("a MERGE may have moved rows between partitions of "),
        )

    def _mark_stale(self, before: str, after: str = "") -> q.Fragment:
        """The view is to be computed anew; the reason has the table's name between `before` and `after`."""
        return q.sql(
            "INSERT INTO {stale} (view_schema, view_name, reason) VALUES ({schema}, {name}, "
            "{before} || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME{after});",
            stale=q.qualified(names.RUNTIME_SCHEMA, "stale"),
            schema=q.literal(self.view[0]),
            name=q.literal(self.view[1]),
            before=q.literal(before),
            after=q.sql(" || {a}", a=q.literal(after)) if after else q.EMPTY,
        )

    def truncated(self, source: Source) -> Function:
        """AFTER TRUNCATE: nothing tells which rows went."""
        check = q.sql("IF NOT ({own}) THEN\n{raise_}\nEND IF;", own=own_table(source), raise_=FOREIGN)
        if not self.node.counted:
            replace = q.qualified(names.RUNTIME_SCHEMA, self.name("replace"))
            body = q.sql(
                "{skip}{check}\nPERFORM {f}();\n{doubt}RETURN NULL;",
                skip=self._skip(source, "truncate"),
                check=check,
                f=replace,
                doubt=self._doubt_standing(),
            )
            return self._trigger_function(source, "truncate", [], body)
        body = q.sql(
            "{skip}{check}\n{doubt}{read}\nivm_pending := ivm_pending || '!';\n{leave}",
            skip=self._skip(source, "truncate"), check=check, doubt=self._doubt_standing(), read=self._read_state(),
            leave=self._leave(),
        )  # fmt: skip
        return self._trigger_function(source, "truncate", list(_STATE), body)

    def _doubt_standing(self) -> q.Fragment:
        """TRUNCATE takes rows that its transaction's snapshot may not see, and whose groups it can't see either. Where
        lock buckets are bumped such a transaction fails with 40001; without them the view says that it is stale."""
        if self.node.locks:
            return q.EMPTY
        return q.sql(
            "IF current_setting('transaction_isolation') <> 'read committed' THEN\n{stale}\nEND IF;\n",
            stale=self._mark_stale("TRUNCATE of ", " in a transaction whose snapshot stands"),
        )

    def _trigger_function(
        self, source: Source, event: str, declared: list[tuple[str, str]], body: q.Fragment
    ) -> Function:
        if guard := self._guard(source):
            declared = [*declared, DECLARED]
            body = guard.wrapped(body, self._drop_pending(), self._leave_without())
        name, settings = self.name(source.number, event), self.settings if event != "truncate" else ()
        if guard:
            settings = tuple(dict(settings + MARK_SETTINGS).items())
        return Function(names.RUNTIME_SCHEMA, name, "trigger", block(declared, body), settings)

    # Failures that don't fail the write

    def _guard(self, source: Source) -> Guard | None:
        """Events of the view's own levels happen inside the maintenance of one of a source outside, and fail it."""
        return self.guard if self.guard and source.name not in self.guard.own else None

    def _skip(self, source: Source, event: str) -> q.Fragment:
        """Events of a stale view aren't applied."""
        guard = self._guard(source)
        if guard is None:
            return q.EMPTY
        met = q.literal(True) if event == "truncate" else self.changed(source, event)
        if self.node.counted:
            state = q.sql("split_part(current_setting({s}, true), '/', 3) <> ''", s=q.literal(self.setting))
            met = q.sql("{m} OR {s}", m=met, s=state)
        return guard.enter(met, self._drop_pending(), self._leave_without())

    def _drop_pending(self) -> q.Fragment:
        """Forget what this statement's other events have spooled."""
        if not self.node.counted:
            return q.EMPTY
        large = [
            q.sql("DELETE FROM {t} WHERE ivm_xid = pg_current_xact_id();", t=spool.target) for spool in self.spools
        ]
        return q.sql(
            "{forget}\nIF position('+' IN split_part(current_setting({s}, true), '/', 3)) > 0 THEN\n{large}\nEND IF;",
            forget=q.join("\n", [spool.forget() for spool in self.spools]), s=q.literal(self.setting),
            large=q.join("\n", large),
        )  # fmt: skip

    def _leave_without(self) -> q.Fragment:
        """One event less in flight, nothing to be applied."""
        if not self.node.counted:
            return q.Fragment("RETURN NULL;")
        state = q.sql("current_setting({s}, true)", s=q.literal(self.setting))
        return q.sql(
            "ivm_state := set_config({s}, CASE WHEN split_part({state}, '/', 1) = {stamp} AND "
            "split_part({state}, '/', 2)::integer > 1 THEN {stamp} || '/' || "
            "(split_part({state}, '/', 2)::integer - 1)::text || '/' ELSE '' END, true);\nRETURN NULL;",
            s=q.literal(self.setting), state=state, stamp=q.Fragment(STAMP),
        )  # fmt: skip

    # Bodies

    def _may_nest(self, source: Source) -> bool:
        """Uncounted events of a user's table may nest (a row trigger that deletes what was just inserted), so that a
        group's count may pass below zero; such a transaction is noted and its inserts look for emptied groups."""
        return isinstance(self.node.store, AggregateStore) and not self.node.counted and not source.maintained

    def _plain_body(self, source: Source, event: str) -> q.Fragment:
        check = q.sql("IF NOT ({own}) THEN\n{raise_}\nEND IF;", own=own_table(source, once=True), raise_=FOREIGN)
        apply = self._direct(source, event)
        store = self.node.store
        if isinstance(store, AggregateStore) and self._may_nest(source):
            if event == "insert" and store.key:
                whole = store.apply_whole(self._direct_change(source, event), joint=False, event=event)
                return q.sql(
                    "{skip}IF ({own}) AND coalesce(current_setting({s}, true), '') = '' THEN\n{apply}\nRETURN NULL;\n"
                    "END IF;\n"
                    "{check}\n{whole}\nRETURN NULL;",
                    skip=self._skip(source, event), own=own_table(source, once=True), s=q.literal(self.setting),
                    apply=apply, check=check, whole=render(whole),
                )  # fmt: skip
            if store.key:
                note = q.sql(
                    "IF ivm_below THEN ivm_state := set_config({s}, 'below', true); END IF;", s=q.literal(self.setting)
                )
                apply = q.sql("{apply}\n{note}", apply=apply, note=note)
        unread = q.EMPTY
        if event == "update":
            unread = q.sql("IF NOT ({c}) THEN\nRETURN NULL;\nEND IF;\n", c=self.changed(source, event))
        return q.sql(
            "{unread}{skip}{check}\n{apply}\nRETURN NULL;",
            unread=unread, skip=self._skip(source, event), check=check, apply=apply,
        )  # fmt: skip

    def _counted_body(self, source: Source, event: str) -> q.Fragment:
        """The common case first, with as few expressions as can be: alone, nothing spooled."""
        changed = self.changed(source, event)
        slow = q.sql(
            "IF NOT ({own}) THEN\n{raise_}\nEND IF;\n{read}\nIF {changed} THEN\n{spool}\nEND IF;\n{leave}",
            own=own_table(source),
            raise_=FOREIGN,
            read=self._read_state(),
            changed=changed,
            spool=self._spooled(source, event),
            leave=self._leave(),
        )
        skip = self._skip(source, event)
        if not self.node.direct(source):
            return q.sql("{skip}{slow}", skip=skip, slow=slow)
        alone = q.sql(
            "current_setting({s}, true) = {stamp} || '/1/'", s=q.literal(self.setting), stamp=q.Fragment(STAMP)
        )
        apply = q.sql(
            "{apply}\nIF {alone} AND set_config({s}, '', true) = '' THEN\nRETURN NULL;\nEND IF;\n{raise_}",
            apply=self._direct(source, event), alone=alone, s=q.literal(self.setting), raise_=self.feedback(),
        )  # fmt: skip
        unread = q.EMPTY
        if event == "update":
            unread = q.sql(
                "IF {alone} AND NOT ({changed}) THEN\nivm_state := set_config({s}, '', true);\nRETURN NULL;\nEND IF;\n",
                alone=alone, changed=changed, s=q.literal(self.setting),
            )  # fmt: skip
        return q.sql(
            "{unread}{skip}IF {alone} AND ({own}) THEN\n{apply}\nEND IF;\n{slow}",
            unread=unread,
            skip=skip,
            alone=alone,
            own=own_table(source),
            apply=apply,
            slow=slow,
        )

    def _spooled(self, source: Source, event: str) -> q.Fragment:
        """plpgsql that spools the event. What settings of that name hold at the first one was left there or forged."""
        empty = q.join("\n", [spool.forget() for spool in self.spools])
        return q.sql("IF ivm_pending = '' THEN\n{e}\nEND IF;\n{w}", e=empty, w=self.spool(source).write(event))

    def feedback(self) -> q.Fragment:
        """Something that runs while the view's table is written wrote a source of it."""
        return q.sql(
            "RAISE EXCEPTION 'a trigger on the maintained table {shown} writes a table that it is computed from' "
            "USING ERRCODE = 'triggered_action_exception', HINT = 'Move that write out of the trigger.';",
            shown=q.Fragment(self.node.store.table.replace("'", "''").replace("%", "%%")),
        )

    def _read_state(self) -> q.Fragment:
        return q.sql(
            "ivm_state := coalesce(current_setting({s}, true), '');\nivm_stamp := {stamp};\n"
            "IF split_part(ivm_state, '/', 1) <> ivm_stamp THEN\n"
            "RAISE EXCEPTION 'the events of this statement were miscounted on %.%', TG_TABLE_SCHEMA, "
            "TG_TABLE_NAME USING ERRCODE = 'triggered_action_exception', "
            "HINT = 'A trigger was dropped or a setting ivm.* was changed inside the statement; run it again.';\n"
            "END IF;\n"
            "ivm_depth := split_part(ivm_state, '/', 2)::integer;\nivm_pending := split_part(ivm_state, '/', 3);",
            s=q.literal(self.setting),
            stamp=q.Fragment(STAMP),
        )

    def _leave(self) -> q.Fragment:
        """One event less in flight; the last one applies what is pending."""
        return q.sql(
            "IF ivm_depth <= 1 THEN\nIF ivm_pending <> '' THEN\n"
            "ivm_state := set_config({s}, ivm_stamp || '/1000000/', true);\nPERFORM {flush}(ivm_pending);\n"
            "IF current_setting({s}, true) <> ivm_state THEN\n{feedback}\nEND IF;\nEND IF;\n"
            "ivm_state := set_config({s}, '', true);\nELSE\n"
            "ivm_state := set_config({s}, ivm_stamp || '/' || (ivm_depth - 1)::text || '/' || ivm_pending, true);\n"
            "END IF;\nRETURN NULL;",
            s=q.literal(self.setting),
            flush=q.qualified(names.RUNTIME_SCHEMA, self.name("flush")),
            feedback=self.feedback(),
        )

    def changed(self, source: Source, event: str) -> q.Fragment:
        """Some row came or went, or some column that is read changed."""
        types = {stored: column.type for scan in source.leaves for column, stored in scan.columns}
        return changed_rows(event, [(name, types[name].exact) for name in source.read_columns], source.live)

    def _direct(self, source: Source, event: str) -> q.Fragment:
        change = self._direct_change(source, event)
        locks = self._direct_locks(source, event)
        # Referential actions on the same table join the outer statement's transition tables: a row may change twice.
        twice = source.cascaded and event == "update" and isinstance(self.node.store, KeyedStore)
        signs = event if keeps_sign(self.node.store.child, source.name) else "update"
        steps = self._gone_by_key(source, event) or self.node.store.apply(change, joint=twice, event=signs)
        if not self.replanned:
            return render(steps)
        table = q.Fragment("ivm_old" if event == "delete" else "ivm_new")
        return q.sql(
            "ivm_many := (SELECT count(*) FROM (SELECT 1 FROM {t} LIMIT {over}) ivm_z);\n"
            "IF ivm_many <= {few} THEN\n{static}\nELSE\n{free}\n{replanned}\nEND IF;",
            t=table,
            over=q.literal(SMALL_ROWS + 1),
            few=q.literal(SMALL_ROWS),
            static=render((*locks, *steps)),
            free=_PLAN_FREELY,
            replanned=render((*locks, *steps), replanned=True),
        )

    def _gone_by_key(self, source: Source, event: str) -> list[Step]:
        """Rows of a keyed store that a deleted source row was part of: its own key finds them, without the join."""
        store = self.node.store
        if event != "delete" or not isinstance(store, KeyedStore) or len(source.leaves) != 1:
            return []
        return store.delete_with(source.leaves[0], q.Fragment("ivm_old"))

    # Deltas

    def _direct_change(self, source: Source, event: str) -> Compiled:
        def leaf(node: Relation) -> Compiled:
            assert isinstance(node, Change)
            return Compiled(transition(node.scan, event), True)

        return emit_delta(self.node.change(source), leaf)

    # Locks

    def _direct_locks(self, source: Source, event: str) -> tuple[Step, ...]:
        if self.node.locks is None:
            return ()
        changed = [(scan, transition(scan, event)) for scan in source.leaves]
        return lock_steps(self.locks, self.node.locks, changed)

    # Triggers

    def triggers(self) -> list[TriggerSpec]:
        """All triggers of the node on all its sources."""
        enter = self.enter()
        found = []
        for source in self.node.captured:
            for relation in source.relations:
                if self.node.counted:
                    events = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
                    found.append(TriggerSpec(self._trigger_name(source, "enter"), *relation, "BEFORE", events, enter))
                for event in EVENTS:
                    old, new = NEEDS[event]
                    name = self._trigger_name(source, event)
                    function = self.after(source, event)
                    found.append(TriggerSpec(name, *relation, "AFTER", (event.upper(),), function, old, new))
                name = self._trigger_name(source, "truncate")
                found.append(TriggerSpec(name, *relation, "AFTER", ("TRUNCATE",), self.truncated(source)))
        return found

    def _trigger_name(self, source: Source, event: str) -> str:
        """Triggers fire in the order of their names: a node before the levels that it reads, so that it meets a change
        of a table before that of a level made from it, and each alone."""
        rank = f"{999 - self.node.number:03d}"
        return names.shorten(f"ivm_{names.derived(self.prefix, rank, source.number, event)}")

    def needs_lock_table(self) -> int:
        """Number of buckets to create; 0 for none."""
        store = self.node.store
        size = self.node.locks.size if self.node.locks else 0
        if isinstance(store, BagStore):
            return max(size, store.lock_base + 128)
        if isinstance(store, PartitionStore):
            return store.lock_base + store.locked_buckets
        return size or (1 if hasattr(store, "lock_table") else 0)
