"""Build the wheel, install it in a clean environment, and keep a view with it, far from the checkout.

What only a checkout has (``sql/`` at the top level, the current directory on the path) cannot help there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Run with the clean environment's Python.
PROJECT = r"""
import sys
from pathlib import Path

import django
from django.conf import settings

import django_ivm
from django_ivm import embedded

installed = Path(django_ivm.__file__)
assert Path(sys.prefix) in installed.parents, f"not the installed package: {installed}"

settings.configure(
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.contenttypes", "pgtrigger", "django_ivm"],
    DATABASES={"default": embedded.django_database()},
)
django.setup()

from django.core.management import call_command
from django.db import connection

call_command("migrate", verbosity=0)
assert "pglast" not in sys.modules, "pglast was imported before anything was compiled"

QUERY = "SELECT shop, count(*) AS sales, sum(amount) AS revenue FROM sale GROUP BY shop"


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


def check(what):
    wrong = run(
        f"(TABLE {view.table} EXCEPT ALL ({QUERY})) UNION ALL (({QUERY}) EXCEPT ALL TABLE {view.table})"
    )
    assert wrong == [], f"after {what}: {wrong}"
    print(f"  {what}: exact, {run(f'SELECT count(*) FROM {view.table}')[0][0]} rows")


run("CREATE TABLE sale (id bigint PRIMARY KEY, shop text, amount numeric(12, 2))")
run("INSERT INTO sale SELECT i, 'shop ' || i % 7, i * 0.25 FROM generate_series(1, 1000) AS i")
view = django_ivm.create_view("revenue_by_shop", QUERY, strategy="incremental")
check("install")
run("INSERT INTO sale VALUES (1001, 'shop 3', 12.50), (1002, 'a new shop', 1), (1003, NULL, NULL)")
check("insert")
run("UPDATE sale SET amount = amount + 1, shop = 'shop 0' WHERE id % 10 = 0")
check("update")
run("DELETE FROM sale WHERE shop = 'shop 5' OR shop IS NULL")
check("delete")
run("TRUNCATE sale")
check("truncate")
assert view.explain().strategy == "incremental"
assert view.verify().ok
django_ivm.drop_view("revenue_by_shop")
"""


def main() -> int:
    # Whoever runs this may have a database and a path set up for the checkout.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PYTHONPATH", "VIRTUAL_ENV")
    }
    with tempfile.TemporaryDirectory(prefix="wheel-") as folder:
        work = Path(folder)
        print("building the wheel", flush=True)
        pip("wheel", "--no-deps", "--wheel-dir", str(work / "dist"), str(ROOT), env=environment)
        (wheel,) = (work / "dist").glob("django_ivm-*.whl")
        problems = inspect(wheel)
        if problems:
            print(f"{wheel.name}: " + "; ".join(problems), file=sys.stderr)
            return 1
        print(f"installing {wheel.name} in a clean environment", flush=True)
        # Our own pip installs into it, so that it need not get one.
        venv.create(work / "venv", with_pip=False)
        python = str(work / "venv" / "bin" / "python")
        pip("--python", python, "install", f"{wheel}[embedded]", env=environment)
        elsewhere = work / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "project.py").write_text(PROJECT)
        print("keeping a view", flush=True)
        done = subprocess.run([python, "-I", "project.py"], cwd=elsewhere, env=environment, check=False)
        if done.returncode != 0:
            print("the installed wheel does not work", file=sys.stderr)
            return 1
    print("the wheel works")
    return 0


def pip(*arguments: str, env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq", "--no-input", *arguments]
    subprocess.run(command, check=True, env=env)


def inspect(wheel: Path) -> list[str]:
    """What is wrong with the wheel's list of files."""
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
    expected = {"django_ivm/py.typed", "django_ivm/embedded/_exec.py"}
    expected |= {f"django_ivm/sql/{path.relative_to(ROOT / 'sql')}" for path in (ROOT / "sql").rglob("*.sql")}
    problems = [f"{name} is missing" for name in sorted(expected - shipped)]
    if not any(name.startswith("django_ivm/sql/runtime/") for name in shipped):
        problems.append("it has no sql/runtime/")
    top = {name.split("/")[0] for name in shipped}
    strangers = sorted(name for name in top if name != "django_ivm" and not name.endswith(".dist-info"))
    if strangers:
        problems.append(f"it has {', '.join(strangers)} at the top level")
    return problems


if __name__ == "__main__":
    sys.exit(main())
