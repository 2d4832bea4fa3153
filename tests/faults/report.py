"""The numbers of a run of faults, as a table."""

from __future__ import annotations

from .catalogue import Fault
from .outcome import Outcome

HEADINGS = ("fault", "injected", "hit", "exact at once", "stale, healed", "wrong")


class Report:
    """What has happened so far, per fault."""

    def __init__(self) -> None:
        self.sums: dict[str, Outcome] = {}
        self.skipped: dict[str, str] = {}
        self.wrong: list[str] = []

    def add(self, fault: Fault, number: int, outcome: Outcome) -> None:
        self.sums.setdefault(fault.name, Outcome()).add(outcome)
        told = f" ({outcome.told})" if outcome.told else ""
        self.wrong += [f"round {number}, {fault.name}{told}: {text}" for text in outcome.wrong]

    def fail(self, fault: Fault, number: int, text: str) -> None:
        self.add(fault, number, Outcome(wrong=[text]))

    def skip(self, fault: Fault, reason: str) -> None:
        self.skipped[fault.name] = reason

    @property
    def total(self) -> Outcome:
        total = Outcome()
        for outcome in self.sums.values():
            total.add(outcome)
        return total

    def line(self) -> str:
        total = self.total
        return (
            f"{total.injected} faults, {total.hit} failures by them, {total.exact} views exact at once, "
            f"{total.healed} stale and healed, wrong = {len(total.wrong)}"
        )

    def table(self) -> str:
        rows = [
            (name, *map(str, (o.injected, o.hit, o.exact, o.healed, len(o.wrong)))) for name, o in self.sums.items()
        ]
        total = self.total
        rows.append(("all", *map(str, (total.injected, total.hit, total.exact, total.healed, len(total.wrong)))))
        widths = [max(len(row[i]) for row in [HEADINGS, *rows]) for i in range(len(HEADINGS))]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
            for row in [HEADINGS, tuple("-" * width for width in widths), *rows]
        ]
        lines += [f"{name}: skipped, {reason}" for name, reason in self.skipped.items()]
        return "\n".join(lines)
