"""Writes docs/sql_support.md: what the compiler keeps, how, at what cost, and what it refuses.

    python scripts/sql_support.py            write the page anew
    python scripts/sql_support.py --check    exit 1 when it is out of date

Every fact is read from the compiler: the sections of its modules' docstrings, its lists of functions, settings and
codes, the messages where they are raised.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILER = ROOT / "django_ivm" / "compiler"
PAGE = ROOT / "docs" / "sql_support.md"
SECTIONS = ("SQL", "Kept", "Cost", "Locks")
WAYS = ("algebraic", "by key", "at read time", "full", "as ")

_SECTION = re.compile(r"^(SQL|[A-Z][a-z]+) {2,}(\S.*)$")
_HEAD = """\
# What is kept, and how

Written by `python scripts/sql_support.py` from the compiler's own docstrings, lists and messages.

- **Algebraic**: computed from the change alone and from rows that it is joined with. **By key**: the groups, partitions
  or first rows that a change touches are computed anew. **At read time**: the table doesn't hold it. **Full**: writes
  mark the view as stale, and a refresh computes the query.
- *Found by index* means an index that is there: `explain()` and the check `django_ivm.W004` name those that are missing
  on your tables. Those on tables of ours are created with the view.
- Locks are rows in tables of ours, held until the end of the transaction; users' rows are never locked.
- Codes are what `explain()`, logs and `ivm_status` give as reasons; see [below](#codes).
"""


def sections(doc: str) -> dict[str, str]:
    """Sections of a docstring, each a word in the first column followed by text."""
    found: dict[str, str] = {}
    name = ""
    for line in doc.splitlines():
        start = _SECTION.match(line)
        if start:
            name, found[start[1]] = start[1], start[2]
        elif name and line.startswith("   "):
            found[name] += " " + line.strip()
        else:
            name = ""
    return found


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def constructs() -> Iterator[tuple[Path, dict[str, str]]]:
    """Modules that say which SQL they are about: the operators in their order, then the others."""
    from django_ivm.compiler.operators import OPERATORS

    order = [operator.__module__.rpartition(".")[2] for operator in OPERATORS]
    paths = [COMPILER / "operators" / f"{stem}.py" for stem in dict.fromkeys(order)]
    paths += sorted(path for path in COMPILER.rglob("*.py") if path not in paths)
    for path in paths:
        found = sections(docstring(path))
        if "SQL" in found:
            yield path, found


def codes_of(found: dict[str, str]) -> list[str]:
    """Codes that a module's docstring names, in order."""
    from django_ivm.compiler.errors import HINTS

    words = re.findall(r"\b([A-Z][A-Z_]+):", found.get("Limits", "")) + found.get("Codes", "").split(", ")
    return [word for word in dict.fromkeys(words) if word in HINTS]


def messages() -> dict[str, list[str]]:
    """Code -> the messages with which the compiler's source gives it, `…` for what differs."""
    found: dict[str, list[str]] = {}
    for path in sorted(COMPILER.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                _messages_of(function, found)
    return found


Assigned = dict[str, list[ast.expr]]


def _messages_of(function: ast.FunctionDef, found: dict[str, list[str]]) -> None:
    assigned: Assigned = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned.setdefault(node.targets[0].id, []).append(node.value)
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value and function.name == "whole":  # a store's reason
            _add(found, "WHOLE", _texts(node.value, node.lineno, assigned))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Unsupported", "Reason", "reason"):
            for code in _texts(node.args[0], node.lineno, assigned) if len(node.args) > 1 else ():
                _add(found, code, _texts(node.args[1], node.lineno, assigned))


def _add(found: dict[str, list[str]], code: str, texts: list[str]) -> None:
    known = found.setdefault(code, [])
    known += [text for text in texts if text not in (*known, "", "…")]


def _texts(node: ast.expr, line: int, assigned: Assigned) -> list[str]:
    """What an expression before a line may be: a variable is what it was given last."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr():
            return ["".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values)]
        case ast.IfExp():
            return _texts(node.body, line, assigned) + _texts(node.orelse, line, assigned)
        case ast.Name():
            before = [value for value in assigned.get(node.id, []) if value.lineno <= line]
            last = max(before, key=lambda value: value.lineno, default=None)
            return _texts(last, last.lineno - 1, assigned) if last else []
    return []


def aggregates() -> Iterator[tuple[str, ...]]:
    """Function, and how it is kept by the type of its argument."""
    from django_ivm.compiler.ir.scalar import Scalar
    from django_ivm.compiler.operators.functions import KNOWN, Call, upkeep
    from django_ivm.compiler.pg.catalog import BIGINT, BOOLEAN, INTEGER, Type

    numbers = (INTEGER, BIGINT, Type("numeric(12,2)", "numeric", scale=2), Type("numeric", "numeric"),
               Type("double precision", "float8"))  # fmt: skip
    kept = {"fold": "added up", "extreme": "compared, by key when it goes", "recompute": "by key"}
    for function in sorted(KNOWN):
        logical = function in ("bool_and", "bool_or", "every")
        row = []
        for type_ in (*numbers, BOOLEAN):
            fits = (type_ is BOOLEAN) is logical or function == "count"
            call = Call(function, Scalar("x", type_), type_, f"{function}(x)")
            row.append(kept[upkeep(call).value] if fits else "")
        yield (function, *row)


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(map(cell, row)) + " |"


def paragraph(doc: str) -> str:
    """A docstring's text before its sections, as one line per paragraph."""
    plain = [line for line in doc.splitlines() if not _SECTION.match(line)]
    return "\n\n".join(" ".join(part.split()) for part in "\n".join(plain).split("\n\n"))


def page() -> str:
    """The whole page."""
    sys.path.insert(0, str(ROOT))
    from django_ivm.compiler.errors import HINTS
    from django_ivm.compiler.frontend.settings import FOLLOWS, PINNABLE
    from django_ivm.compiler.maintenance import choice
    from django_ivm.compiler.rewrites import RULES

    lines = [_HEAD, "## Constructs", ""]
    rows = []
    for path, found in constructs():
        name = docstring(path).partition(":")[0] if path.parent.name == "operators" else ""
        kept = found["Kept"] + (f" ({name})" if name else "")
        codes = ", ".join(f"`{code}`" for code in codes_of(found))
        rows.append((found["SQL"], kept, found["Cost"], found["Locks"], codes))
    lines += table(("construct", "kept (operator)", "what a write costs", "what it locks", "codes"), rows)

    lines += ["", "## Aggregate functions", ""]
    lines.append(
        "*Added up*: accumulators per group, nothing is read again. *By key*: the touched groups are computed anew. "
        "Every other aggregate (ordered ones, WITHIN GROUP, user-defined ones) is kept by key; without GROUP BY that "
        "reads the whole source (`WHOLE`), unless an index gives the extreme."
    )
    lines += [
        "",
        *table(("function", "integer", "bigint", "numeric(p,s)", "numeric", "float", "boolean"), aggregates()),
    ]

    lines += ["", "## Choices by cost", "", paragraph(choice.__doc__ or ""), ""]
    lines.append(
        f"A group is small up to {choice.FEW_IN_GROUP} rows (`docs/decisions/0004-choice-by-cost.md`); statistics of "
        f"tables below {choice.ENOUGH:,} rows don't count. `prefer` in `class IVM`, or of `create_view()`, decides "
        'instead: `"state"` or `"recompute"`. An installed view keeps what was chosen; `explain()` shows it.'
    )

    lines += ["", "## How rows are stored", ""]
    for file in sorted((COMPILER / "maintenance" / "stores").glob("*.py")):
        if file.stem not in ("__init__", "base", "layout"):
            lines += [f"**{file.stem}**: {paragraph(docstring(file))}", ""]

    lines += ["## Rewrites", "", "In their order; each keeps the rows of the query.", ""]
    for rule in RULES:
        doc = importlib.import_module(rule.__module__).__doc__ or ""
        lines.append(f"- `{rule.__name__}`: {paragraph(doc.partition(chr(10) + chr(10))[0])}")

    lines += ["", "## Settings", ""]
    lines.append(
        "Functions whose result follows a setting are kept under the setting's value at the view's definition: "
        + ", ".join(f"`{name}`" for name in PINNABLE)
        + ". These functions of PostgreSQL's own are known; others that aren't immutable are refused (`STABLE`)."
    )
    lines.append("")
    by_settings: dict[str, list[str]] = {}
    for signature, names in FOLLOWS.items():
        by_settings.setdefault(", ".join(names) or "those that the text of their arguments follows", []).append(
            signature.partition("(")[0]
        )
    rows = [(names, ", ".join(sorted(set(found)))) for names, found in sorted(by_settings.items())]
    lines += table(("setting", "functions"), rows)

    lines += ["", "## Codes", ""]
    said = messages()
    rows = [(f"`{code}`", "; ".join(said.get(code, [])), hint) for code, hint in sorted(HINTS.items())]
    lines += table(("code", "said when", "hint"), rows)
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="Write nothing; fail when the page is out of date.")
    text = page()
    if parser.parse_args().check:
        current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
        print("up to date" if current else "out of date: python scripts/sql_support.py writes it anew")
        return 0 if current else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
