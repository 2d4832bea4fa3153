"""Writes sql/gallery: what the compiler makes of a few views, whole, as a script to read.

    python scripts/gallery.py            write the files anew
    python scripts/gallery.py --check    exit 1 when a file is out of date

Each script runs as it stands, after sql/runtime/*.sql and sql/gallery/tables.sql.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "sql" / "gallery"
WIDTH = 110

# name -> (what it shows, query)
VIEWS = {
    "status_totals": (
        "One table, sums and counts: a change is folded per group and added to the stored group.",
        """\
SELECT status, count(*) AS purchases, sum(amount) AS total, avg(amount) AS mean
FROM shop.purchase
GROUP BY status""",
    ),
    "region_revenue": (
        "A join under a group, with an extreme: lock buckets for the join, a probe when the largest purchase goes.",
        """\
SELECT c.region, count(*) AS purchases, sum(p.amount) AS revenue, max(p.amount) AS largest
FROM shop.purchase p JOIN shop.customer c ON c.id = p.customer_id
GROUP BY c.region""",
    ),
    "open_purchases": (
        "Rows of a filtered join, told apart by the keys of their tables.",
        """\
SELECT p.id, p.amount, c.name
FROM shop.purchase p JOIN shop.customer c ON c.id = p.customer_id
WHERE p.status = 'open'""",
    ),
    "best_customers": (
        "The first rows of an order over groups: two levels, each with a table of its own.",
        """\
SELECT customer_id, sum(amount) AS total
FROM shop.purchase
GROUP BY customer_id
ORDER BY total DESC NULLS LAST, customer_id
LIMIT 10""",
    ),
    "ranking": (
        "A window: the partitions of the changed rows are computed anew, and what differs is written.",
        """\
SELECT id, rank() OVER (PARTITION BY status ORDER BY amount DESC) AS place
FROM shop.purchase""",
    ),
    "visible_purchases": (
        "A query without a plan: writes only mark the view stale, a refresh writes the difference.",
        """\
SELECT id, customer_id, amount
FROM shop.purchase
WHERE status = 'open' OR current_user = 'auditor'""",
    ),
}

_QUOTED = re.compile(r"(?P<tag>\$\w+\$)(?P<code>.*?)(?P=tag)", re.DOTALL)
_CLAUSES = frozenset(
    [
        "SELECT",
        "FROM",
        "WHERE",
        "GROUP_P",
        "HAVING",
        "ORDER",
        "UNION",
        "INSERT",
        "UPDATE",
        "DELETE_P",
        "SET",
        "RETURNING",
        "ON",
        "USING",
        "WITH",
        "LIMIT",
        "LEFT",
        "LANGUAGE",
        "REFERENCING",
        "EXECUTE",
    ]
)
_STATEMENTS = frozenset(["SELECT", "WITH", "INSERT", "UPDATE", "DELETE_P"])
# After these words a clause's word is part of something else: DO UPDATE SET, DISTINCT ON, (SELECT …
_JOINED = frozenset(["ASCII_40", "DO", "DISTINCT", "UPDATE", "OR", "AFTER", "BEFORE", "FOR", "KEY", "NULLS_P"])


def script(connection: Any, name: str) -> str:
    """The whole file of a view; the tables must exist in the connection's database."""
    from django_ivm.compiler import Options, compile_view
    from django_ivm.engine.analyse import analyse

    says, sql = VIEWS[name]
    canonical, catalog = analyse(connection, sql)
    made = compile_view(canonical, catalog, Options(name=name, schema="shop"))
    # The definition as it was written: PostgreSQL's own way of printing it changes between its majors.
    own = made.definition_statement().replace(canonical, sql)
    statements = [own if text == made.definition_statement() else text for text in made.statements()]
    head = [f"-- {says}", "-- Made by scripts/gallery.py; changes by hand are lost.", "--"]
    head += [f"-- strategy: {made.strategy}"]
    head += [f"-- {reason.code}: {reason.message} ({reason.location})" for reason in made.reasons]
    head += [f"--   {line}" for line in (str(made.plan).splitlines() if made.plan else ())]
    return "\n".join(head) + "\n\n" + "\n\n".join(folded(text) + ";" for text in statements) + "\n"


def folded(text: str) -> str:
    """The same words in lines of readable length."""
    result = "\n".join(_folded_lines("\n".join(_indented(text.split("\n")))))
    if words(result) != words(text):
        raise ValueError(f"folding changed the statement\n{text}")
    return result


def _indented(lines: list[str]) -> Iterator[str]:
    """plpgsql's blocks by two spaces each."""
    level = 0
    for line in lines:
        word = line.partition(" ")[0]
        level -= word == "END" or line.startswith("END$")
        yield "  " * (level - (word == "ELSE")) + line if line else line
        level += line == "BEGIN" or line.endswith((" THEN", "$BEGIN"))


def _folded_lines(text: str) -> Iterator[str]:
    """Line by line; quoted code that is long gets lines of its own."""
    at = 0
    for quoted in _QUOTED.finditer(text):
        line = text[text.rfind("\n", 0, quoted.start()) + 1 : quoted.end()]
        if "\n" not in line and len(line) <= WIDTH:
            continue
        *before, opening = text[at : quoted.start()].split("\n")
        for one in before:
            yield from _fold(one)
        *lines, opening = _fold(opening)
        yield from [*lines, f"{opening.rstrip()} {quoted['tag']}"]
        yield from _folded_lines(quoted["code"].strip("\n"))
        end = text.find("\n", quoted.end())
        end = len(text) if end < 0 else end
        yield quoted["tag"] + text[quoted.end() : end]
        at = end + 1
    for one in text[at:].split("\n") if at < len(text) else ():
        yield from _fold(one)


def words(text: str) -> list[str]:
    """The tokens of a text, dollar-quoted texts taken apart as well."""
    from pglast.parser import scan

    found = []
    for token in scan(text):
        word = text[token.start : token.end + 1]
        if token.name == "SCONST" and word.startswith("$"):
            tag = word[: word.index("$", 1) + 1]
            found += [tag, *words(word[len(tag) : -len(tag)]), tag]
        else:
            found.append(word)
    return found


def _fold(line: str) -> Iterator[str]:
    """Lines broken before clauses, then at commas, indented by their depth in parentheses."""
    from pglast.parser import scan

    if len(line) <= WIDTH:
        yield line
        return
    margin = " " * (len(line) - len(line.lstrip()))
    depth, start, level, before = 0, 0, 0, ""
    pieces: list[tuple[int, str]] = []
    for token in scan(line):
        clause = token.name in _CLAUSES and (
            before not in _JOINED or (token.name in _STATEMENTS and before == "ASCII_40")
        )
        if clause and line[start : token.start].strip():
            pieces.append((level, line[start : token.start].strip()))
            start, level = token.start, depth
        depth += {"ASCII_40": 1, "ASCII_41": -1}.get(token.name, 0)
        before = token.name
    pieces.append((level, line[start:].strip()))
    for depth_, piece in pieces:
        yield from _wrapped(piece, margin + "  " * depth_)


def _wrapped(piece: str, margin: str) -> Iterator[str]:
    """A piece cut at commas and ANDs where it is still too long."""
    from pglast.parser import scan

    start, cut, before = 0, 0, ""
    hanging = margin
    for token in scan(piece):
        if token.end + 1 - start + len(hanging) > WIDTH and cut > start:
            yield hanging + piece[start:cut].strip()
            start, hanging = cut, margin + "    "
        if token.name == "ASCII_44":
            cut = token.end + 1
        elif token.name in ("AND", "OR", "THEN", "ELSE", "WHEN") and before != "CREATE":
            cut = token.start
        before = token.name
    yield hanging + piece[start:].strip()


def scripts(connection: Any) -> dict[Path, str]:
    """Every file of the gallery with its text; nothing stays in the database."""
    from django.db import transaction

    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute((FOLDER / "tables.sql").read_text())
        made = {FOLDER / f"{name}.sql": script(connection, name) for name in VIEWS}
        transaction.set_rollback(True, using=connection.alias)
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    import django
    from django.conf import settings

    from django_ivm import embedded

    settings.configure(DATABASES={"default": embedded.django_database()}, INSTALLED_APPS=["django_ivm"])
    django.setup()
    from django.db import connection

    stale = [path for path, text in scripts(connection).items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'out of date' if arguments.check else 'written'}")
    if arguments.check:
        return int(bool(stale))
    for path, text in scripts(connection).items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
