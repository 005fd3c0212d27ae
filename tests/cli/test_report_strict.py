"""`isoflop report --strict`: an incomplete fit is refused, a complete one says all on its page."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

STATE = ("--state", "checkpoint rule=final", "--state", "N=total", "--state", "eval set=C4",
         "--state", "loss unit=nats/token")  # fmt: skip


def test_an_incomplete_run_table_is_refused_before_anything_is_written(isoflop, runs: str) -> None:
    result = isoflop("report", runs, "-o", "page.html", "--strict")
    assert result.code == 1
    assert "items of the fit report are not stated" in result.error
    assert "checkpoint rule (which loss of a run stands for it)" in result.error
    assert not Path("page.html").exists()


def test_a_complete_one_passes_and_the_page_lists_it(isoflop, runs: str) -> None:
    result = isoflop("report", runs, "-o", "page.html", "--strict", *STATE, "--json")
    assert result.code == 0, result.err
    checklist = result.document["checklist"]
    assert checklist["missing"] == []
    assert "hidden" in checklist["items"]["backtest"]
    assert set(checklist["by_user"]) == {"checkpoint rule", "N", "eval set", "loss unit"}
    page = Path("page.md").read_text(encoding="utf-8")
    assert "## Fit report checklist" in page
    assert "Complete: a reader can repeat this fit." in page


def test_a_saved_fit_has_a_page_and_lacks_a_backtest(isoflop, runs: str) -> None:
    assert isoflop("fit", runs, "--bootstrap", "20", "-o", "law.json").code == 0
    result = isoflop("report", "law.json", "-o", "law.html", "--json")
    assert result.code == 0
    assert "backtest" in result.document["checklist"]["missing"]
    assert "note: not stated (--state): " in result.err
    page = Path("law.html").read_text(encoding="utf-8")
    assert "Fit report checklist" in page
    assert str(Path.cwd()) not in page
    refused = isoflop("report", "law.json", "-o", "no.html", "--strict", *STATE)
    assert refused.code == 1
    assert "1 of 19 items" in refused.error
    complete = (*STATE, "--state", "backtest=none was made")
    assert isoflop("report", "law.json", "-o", "yes.html", "--strict", *complete).code == 0


def test_a_wrong_statement_is_one_line(isoflop, runs: str) -> None:
    result = isoflop("report", runs, "--state", "checkpoint=final")
    assert result.code == 2
    assert "did you mean checkpoint rule" in result.error
