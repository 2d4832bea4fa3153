"""The example's demo, as a user runs it, on a hundredth of the data of TPC-H's scale 1."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INCREMENTAL = {
    "OrderPriorities",
    "CustomerRevenue",
    "TopCustomers",
    "NationRevenue",
    "NationYear",
    "PricingSummary",
    "PartPrices",
    "LargeOrders",
    "UrgentLines",
    "OrdersPerCustomer",
}
FULL = {"MedianPrices"}
ROW = re.compile(r"^(\w+) +(incremental|full) +(\w+) +([\d,]+) .* (ok|WRONG)$", re.MULTILINE)


def _demo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "example.demo", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("tpchgen-cli") or (Path(sys.executable).parent / "tpchgen-cli").exists()),
    reason="tpchgen-cli is not installed: pip install 'django-ivm[example]'",
)
def test_every_view_is_right_after_a_day_of_traffic() -> None:
    done = _demo("--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {
        name: (strategy, int(count.replace(",", "")), verify)
        for name, strategy, _, count, verify in ROW.findall(done.stdout)
    }
    assert rows.keys() == INCREMENTAL | FULL, done.stdout
    assert {name for name, (strategy, _, _) in rows.items() if strategy == "full"} == FULL
    assert all(count > 0 and verify == "ok" for _, count, verify in rows.values()), done.stdout
    assert "MedianPrices is stale after the writes" in done.stdout
    assert "STRATEGY: the view asks for full refreshes" in done.stdout
    assert "is_fresh(): True" in done.stdout


def test_a_server_that_is_not_there_is_one_clear_line() -> None:
    done = _demo("--quick", DATABASE_URL="postgresql://nobody@/none?host=/nowhere")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("\nerror: "), done.stderr
    assert "Traceback" not in done.stderr
