"""Each golden file in a transaction of its own, and proof that the runner fails where it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import oracle
from .datadriven import REWRITE, BadFile, parse, run
from .directives import Session

TESTS = Path(__file__).parent.parent
FILES = sorted(
    [
        *TESTS.glob("operators/*.ivm"),
        *TESTS.glob("rewrites/*.ivm"),
        *TESTS.glob("golden/*.ivm"),
        TESTS / "unsupported.ivm",
    ]
)
PAGE = TESTS.parent / "docs" / "compilation_101.md"

SMALL = """\
# A comment.

tables
CREATE TABLE sale (id int PRIMARY KEY, region text);
INSERT INTO sale VALUES (1, 'eu');
----

view name=by_region
SELECT region, count(*) AS n FROM sale GROUP BY region
----
incremental
Project [region = region_2, n = count]
  Aggregate by [region_2 = region] [count = count(*)]
    Scan sale [region]

step
{step}
----
{output}
"""


@pytest.mark.django_db
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_golden(path: Path) -> None:
    run(path, Session().execute).settle()


@pytest.mark.django_db
def test_the_first_day_page_tells_the_truth() -> None:
    run(PAGE, Session().execute).settle()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A golden file with one step, to be run with or without rewriting."""

    def make(step: str, output: str, *, rewrite: bool) -> Path:
        path = tmp_path / "small.ivm"
        path.write_text(SMALL.format(step=step, output=output))
        monkeypatch.delenv(REWRITE, raising=False)
        if rewrite:
            monkeypatch.setenv(REWRITE, "1")
        return path

    return make


INSERT = "INSERT INTO sale VALUES (2, 'eu'), (3, NULL);"
CHANGED = "-1  eu  1\n+1  eu  2\n+1  NULL  1"


@pytest.mark.django_db
def test_an_output_that_holds_passes(write) -> None:  # type: ignore[no-untyped-def]
    path = write(INSERT, CHANGED, rewrite=False)
    run(path, Session().execute).settle()


@pytest.mark.django_db
def test_an_output_that_does_not_hold_fails_with_a_diff(write) -> None:  # type: ignore[no-untyped-def]
    path = write(INSERT, "+1  eu  7", rewrite=False)
    with pytest.raises(AssertionError, match=r"(?s)-\+1  eu  7.*\+\+1  eu  2"):
        run(path, Session().execute).settle()
    assert "+1  eu  7" in path.read_text()


@pytest.mark.django_db
def test_rewriting_writes_what_was_seen_and_nothing_else(write) -> None:  # type: ignore[no-untyped-def]
    path = write(INSERT, "+1  eu  7", rewrite=True)
    run(path, Session().execute).settle()
    assert path.read_text() == SMALL.format(step=INSERT, output=CHANGED)


UNSEEN = "SET LOCAL session_replication_role = replica;"  # triggers don't fire
WRONG = {
    "a view that missed a write": (f"{UNSEEN} INSERT INTO sale VALUES (2, 'eu');", "differs from its query"),
    "a full refresh": (
        "DO $$ BEGIN EXECUTE (SELECT format('SELECT django_ivm.%I()', proname) FROM pg_proc WHERE proname LIKE "
        "'by_region%replace'); END $$;",
        "a full refresh ran",
    ),
    "a view marked stale": (
        "INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('golden', 'by_region', 'no reason');",
        "says that it is stale",
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("rewrite", [False, True])
@pytest.mark.parametrize("case", WRONG)
def test_no_rewriting_blesses_what_is_wrong(case: str, rewrite: bool, write) -> None:  # type: ignore[no-untyped-def]
    step, message = WRONG[case]
    path = write(step, "", rewrite=rewrite)
    before = path.read_text()
    with pytest.raises(oracle.OracleError, match=message) as raised:
        run(path, Session().execute).settle()
    assert "line 16" in "".join(raised.value.__notes__)
    assert path.read_text() == before


@pytest.mark.django_db
@pytest.mark.parametrize("rewrite", [False, True])
def test_a_wrong_hidden_state_is_seen_before_it_does_harm(rewrite: bool, write) -> None:  # type: ignore[no-untyped-def]
    """A sum that nobody shows now: the view is still right, its next write would not be."""
    path = write("SELECT 1;", "", rewrite=rewrite)
    text = path.read_text().replace("count(*) AS n", "avg(id) AS n")
    damage = (
        f"{UNSEEN}\nDO $$ BEGIN EXECUTE (SELECT format('UPDATE django_ivm.%I SET ivm_n = ivm_n + 1', table_name) "
        "FROM information_schema.columns WHERE table_schema = 'django_ivm' AND column_name = 'ivm_n'); END $$;"
    )
    path.write_text(text.replace("SELECT 1;", damage))
    before = path.read_text()
    with pytest.raises(oracle.OracleError, match="differs from its definition"):
        run(path, Session().execute)
    assert path.read_text() == before


def test_a_file_that_is_no_golden_says_where() -> None:
    with pytest.raises(BadFile, match=r"x\.ivm:3: step has no line ----"):
        parse("# nothing\n\nstep\nSELECT 1\n", "x.ivm")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "message"), [("stepp\n----\n", "unknown directive stepp"), ("step oops=1\n----\n", "step takes no oops")]
)
def test_unknown_words_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ivm"
    path.write_text(text)
    with pytest.raises(BadFile, match=message):
        run(path, Session().execute)


def test_blocks_keep_their_text() -> None:
    """Written back with its own outputs, every golden file is what it was."""
    for path in FILES:
        blocks, tail = parse(path.read_text(), str(path))
        assert (
            "".join(b.with_output(b.output) for b in blocks) + "".join(f"{line}\n" for line in tail) == path.read_text()
        )
