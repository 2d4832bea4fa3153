"""The page of supported SQL is what the compiler says of itself, and it says it of everything."""

from __future__ import annotations

import difflib
import importlib.util
import os
import re
from pathlib import Path
from types import ModuleType

import pytest

from django_ivm.compiler.errors import HINTS
from django_ivm.compiler.operators import OPERATORS
from django_ivm.compiler.operators.functions import KNOWN
from django_ivm.compiler.rewrites import RULES

from .datadriven import REWRITE, parse

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "sql_support.md"


@pytest.fixture(scope="module")
def support() -> ModuleType:
    specification = importlib.util.spec_from_file_location("sql_support", ROOT / "scripts" / "sql_support.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(support: ModuleType) -> None:
    made = support.page()
    if os.environ.get(REWRITE):
        PAGE.write_text(made, encoding="utf-8")
    old = PAGE.read_text(encoding="utf-8")
    shown = list(
        difflib.unified_diff(old.splitlines(), made.splitlines(), PAGE.name, "this compiler", lineterm="", n=1)
    )
    assert old == made, "\n".join(shown[:60]) + "\n\npython scripts/sql_support.py writes it anew."


def test_every_operator_says_what_it_costs(support: ModuleType) -> None:
    described = {path.stem: found for path, found in support.constructs()}
    for operator in OPERATORS:
        stem = operator.__module__.rpartition(".")[2]
        assert stem in described, f"{stem}.py: its docstring has no section SQL"
        found = described[stem]
        assert [name for name in support.SECTIONS if not found.get(name)] == [], f"{stem}.py: sections without text"
        assert operator.__name__ in PAGE.read_text(encoding="utf-8")
    for stem, found in described.items():
        assert found["Kept"].startswith(support.WAYS), f"{stem}.py: {found['Kept']} is no way to keep something"
        unknown = set(filter(None, found.get("Codes", "").split(", "))) - set(HINTS)
        assert unknown == set(), f"{stem}.py: no such codes"


def test_nothing_is_missing_from_the_page(support: ModuleType) -> None:
    text = PAGE.read_text(encoding="utf-8")
    codes = text[text.index("## Codes") :]
    said = support.messages()
    for code, hint in HINTS.items():
        assert f"| `{code}` | " in codes
        assert hint in codes.replace("\\", "")
        assert said.get(code), f"{code}: no message found in the compiler"
    for rule in RULES:
        assert f"- `{rule.__name__}`: " in text
    for function in KNOWN:
        assert f"| {function} | " in text
    named = {code for _, found in support.constructs() for code in support.codes_of(found)}
    assert named == set(HINTS), "each code belongs to a construct"


def test_messages_are_those_that_are_given(support: ModuleType) -> None:
    """Every refusal in unsupported.ivm is on the page, with `…` for what differs."""
    said = support.messages()
    blocks, _ = parse((ROOT / "tests" / "unsupported.ivm").read_text())
    met = 0
    for block in blocks:
        for code, message in re.findall(r"^([A-Z_]+): (.*)$", block.output, re.MULTILINE):
            patterns = [re.escape(text).replace("…", ".*") + r"( \(in the view .*\))?" for text in said[code]]
            assert any(re.fullmatch(pattern, message, re.DOTALL) for pattern in patterns), (code, message)
            met += 1
    assert met > len(HINTS)
