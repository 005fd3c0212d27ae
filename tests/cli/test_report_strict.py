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


def test_an_automatic_fit_is_refused_or_accepted_by_what_it_states(isoflop) -> None:
    lines = [f"{2.0**k},{2 + 30 * 2.0 ** (-k / 4)}" for k in range(10, 30)]
    Path("curve.csv").write_text("n_tokens,loss\n" + "\n".join(lines) + "\n", encoding="utf-8")
    options = ("--law", "auto", "--over", "n_tokens", "-o", "auto.json")
    assert isoflop("fit", "curve.csv", *options).code == 0
    refused = isoflop("report", "auto.json", "-o", "no.html", "--strict")
    assert refused.code == 1
    assert "4 of 19 items of the fit report are not stated: loss unit" in refused.error
    assert not Path("no.html").exists()
    state = (*STATE, "--state", "backtest=none was made")
    accepted = isoflop("report", "auto.json", "-o", "yes.html", "--strict", "--json", *state)
    assert accepted.code == 0, accepted.err
    items = accepted.document["checklist"]["items"]
    assert "averaged over its damping; " in items["form"]
    assert items["optimiser"].startswith("none: probabilities summed over a grid of ")
    assert items["D"].startswith("tokens seen in training")
    assert "Complete: a reader can repeat this fit." in Path("yes.md").read_text(encoding="utf-8")


def test_a_critical_batch_is_refused_or_accepted_by_what_it_states(isoflop) -> None:
    rows = [
        f"{batch},{loss},{50 * 4 / loss * (1 + 2.1e8 / loss ** (1 / 0.21) / (30 * batch)):.6f}"
        for loss in (4.0, 3.5, 3.0)
        for batch in (2e3, 8e3, 3e4, 1e5, 4e5)
    ]
    Path("steps.csv").write_text(
        "batch_tokens,loss,steps\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    assert isoflop("batch", "fit", "steps.csv", "-o", "critical.json").code == 0
    refused = isoflop("report", "critical.json", "-o", "no.html", "--strict")
    assert refused.code == 1
    assert "4 of 19 items" in refused.error
    state = (*STATE, "--state", "backtest=none was made")
    accepted = isoflop("report", "critical.json", "-o", "yes.html", "--strict", "--json", *state)
    assert accepted.code == 0, accepted.err
    items = accepted.document["checklist"]["items"]
    assert items["form"].startswith("log S = log S_min(target) + log(1 + B_crit(L)/B)")
    assert "S_min of 3 targets free" in items["form"]
    assert items["starts"] == "the best of a grid of 40 levels and 12 slopes"
