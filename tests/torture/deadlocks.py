"""Which cycles of locks the server broke, read from its log: where the loser stood, and both statements."""

from __future__ import annotations

import re
from collections import Counter

_REPORT = re.compile(
    r"ERROR:  deadlock detected\n[^\n]*DETAIL:  (?P<detail>.*?)\n[^\n\t]*HINT:.*?\n"
    r"(?:[^\n\t]*CONTEXT:  (?P<context>.*?)\n)?[^\n\t]*STATEMENT:  ",
    re.DOTALL,
)
_QUERY = re.compile(r"\tProcess (\d+): (.*?)(?=\n\tProcess \d+: |\Z)", re.DOTALL)
_PLACE = re.compile(r'(while \w+) (?:index )?tuple \([^)]*\) in relation "([^"]+)"')
_FUNCTION = re.compile(r"PL/pgSQL function ([^\s(]+)\(\)")


def cycles(log: str) -> Counter[str]:
    """Deadlocks of a server's log, alike ones counted as one kind."""
    found: Counter[str] = Counter()
    for report in _REPORT.finditer(log):
        statements = [" ".join(re.sub(r"\d+", "#", text).split())[:70] for _, text in _QUERY.findall(report["detail"])]
        context = report["context"] or ""
        place = _PLACE.search(context)
        functions = [re.sub(r"\d+", "#", name) for name in _FUNCTION.findall(context)]
        where = f"{place[1]} {re.sub(r'[0-9]+', '#', place[2])}" if place else "where no row is named"
        found[f"{where} in {' < '.join(functions) or 'the statement itself'}: " + " | ".join(statements)] += 1
    return found
