"""Every operator and rewrite has its golden twin and the reverse; the compiler keeps its habits."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import django_ivm
from django_ivm.compiler.errors import HINTS
from django_ivm.compiler.operators import OPERATORS
from django_ivm.compiler.operators.functions import KNOWN
from django_ivm.compiler.rewrites import RULES

from .datadriven import parse

TESTS = Path(__file__).parent.parent
PACKAGE = Path(django_ivm.__file__).parent
COMPILER = PACKAGE / "compiler"
UNSUPPORTED = TESTS / "unsupported.ivm"


def modules(folder: str) -> set[str]:
    return {path.stem for path in (COMPILER / folder).glob("*.py")} - {"__init__"}


def goldens(folder: str) -> set[str]:
    return {path.stem for path in (TESTS / folder).glob("*.ivm")}


@pytest.mark.parametrize("folder", ["operators", "rewrites"])
def test_twins(folder: str) -> None:
    assert modules(folder) == goldens(folder)


def test_every_operator_and_rule_is_listed() -> None:
    assert {operator.__module__.rpartition(".")[2] for operator in OPERATORS} == modules("operators") - {"functions"}
    assert [rule.__name__ for rule in RULES] == [rule.__module__.rpartition(".")[2] for rule in RULES]
    assert {rule.__name__ for rule in RULES} == modules("rewrites")


def test_every_rule_is_seen_to_fire_and_to_hold_back() -> None:
    for rule in RULES:
        blocks, _ = parse((TESTS / "rewrites" / f"{rule.__name__}.ivm").read_text())
        arguments = [block.arguments for block in blocks if block.command == "rewrite"]
        assert any(rule.__name__ in a.get("expect", "") for a in arguments)
        assert any(rule.__name__ in a.get("expect-not", "") for a in arguments)


def test_every_golden_writes_as_a_user_does() -> None:
    """NULLs, an empty table, all events in one file, TRUNCATE, a statement that writes several tables."""
    for path in [*TESTS.glob("operators/*.ivm"), *TESTS.glob("rewrites/*.ivm")]:
        blocks, _ = parse(path.read_text(), str(path))
        steps = "\n".join(block.body for block in blocks if block.command == "step")
        for word in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "NULL"):
            assert word in steps, f"{path.name}: no step has {word}"
        assert re.search(
            r"^WITH\b[^;]*\b(INSERT|DELETE|UPDATE)\b[^;]*\b(INSERT INTO|UPDATE|DELETE FROM) \w+", steps, re.MULTILINE
        ), f"{path.name}: no statement writes several tables"


def test_every_aggregate_function_has_a_golden() -> None:
    text = (TESTS / "operators" / "functions.ivm").read_text()
    for function in KNOWN:
        assert re.search(rf"\b{function}\(", text), function


def codes_raised() -> dict[str, set[str]]:
    """Codes that the compiler's source gives to a refusal or a reason, with the files that do."""
    found: dict[str, set[str]] = {}
    for path in COMPILER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in (
                "Unsupported",
                "Reason",
                "reason",
            ):
                continue
            first = node.args[0] if node.args else None
            for constant in ast.walk(first) if first is not None else ():
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                    found.setdefault(constant.value, set()).add(path.name)
        for code in re.findall(r'code = "([A-Z_]+)" if .* else "([A-Z_]+)"', path.read_text()):
            for one in code:
                found.setdefault(one, set()).add(path.name)
    return found


def test_every_code_has_a_hint_and_every_hint_a_code() -> None:
    assert {code for code in codes_raised() if code.isupper()} == set(HINTS)


def test_every_code_is_seen_with_its_hint() -> None:
    """In unsupported.ivm, which also proves the fallback; with its place, as far as the query is to blame."""
    seen: dict[str, list[str]] = {}
    for block in parse(UNSUPPORTED.read_text())[0]:
        for match in re.finditer(
            r"^(?:refused )?([A-Z_]+): (.*)(\n  at (.*))?(\n  hint: (.*))?$", block.output, re.MULTILINE
        ):
            code, _, _, place, _, hint = match.groups()
            if match.group(0).startswith("refused") and code not in HINTS:  # no query at all
                continue
            assert (hint or "") == HINTS[code], f"line {block.line}"
            seen.setdefault(code, []).append(place or "")
    assert set(seen) == set(HINTS)
    placed = {code for code, places in seen.items() if any(places)}
    assert placed == set(HINTS) - {"STRATEGY", "WHOLE"}


def test_every_refusal_has_a_place_in_the_text() -> None:
    """Never a code without a place: `explain` must show which words to change."""
    for block in parse(UNSUPPORTED.read_text())[0]:
        refused = re.match(r"([A-Z_]+): ", block.output) if block.command == "fails" else None
        if not refused or refused.group(1) == "STRATEGY":
            continue
        found = re.search(r"^  at line (\d+), column (\d+): (.*)$", block.output, re.MULTILINE)
        assert found, f"line {block.line}: {block.output}"
        line, column, shown = int(found.group(1)), int(found.group(2)), found.group(3)
        text = block.body.splitlines()[line - 1][column - 1 :]
        assert text.startswith(shown.removesuffix("…")), f"line {block.line}: the place doesn't hold {shown!r}"
        assert found.group(0) != "  at line 1, column 1: " + block.body or shown.startswith(("WITH", "SELECT 1")), (
            f"line {block.line}: the beginning of the query is no place"
        )


def test_files_are_short() -> None:
    lengths = {path.relative_to(COMPILER): len(path.read_text().splitlines()) for path in COMPILER.rglob("*.py")}
    assert {path: lines for path, lines in lengths.items() if lines > 500} == {}


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=TESTS.parent, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_compiler_imports_no_driver_and_no_framework() -> None:
    shown = run_python(
        "import sys, pkgutil, importlib, types\n"
        # the package without its __init__, which is the Django half's
        "package = sys.modules['django_ivm'] = types.ModuleType('django_ivm')\n"
        "package.__path__ = ['django_ivm']\n"
        "import django_ivm.compiler as c\n"
        "for m in pkgutil.walk_packages(c.__path__, c.__name__ + '.'): importlib.import_module(m.name)\n"
        "print(sorted({'django', 'psycopg', 'pgtrigger'} & {name.partition('.')[0] for name in sys.modules}))\n"
        "ours = {'.'.join(name.split('.')[:2]) for name in sys.modules if name.startswith('django_ivm.')}\n"
        "print(sorted(ours - {'django_ivm.compiler'}))"
    )
    assert shown.splitlines() == ["[]", "[]"]


def test_a_site_that_only_reads_loads_no_compiler() -> None:
    shown = run_python(
        "import os, sys\n"
        "os.environ.setdefault('DATABASE_URL', 'postgresql://nobody@/nothing?host=/nowhere')\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        "import django; django.setup()\n"
        "import django_ivm; from django_ivm import models\n"
        "from django.core.handlers.wsgi import WSGIHandler\n"
        "print([name for name in sys.modules if name == 'pglast' or name.startswith('django_ivm.compiler')])"
    )
    assert shown == "[]"
