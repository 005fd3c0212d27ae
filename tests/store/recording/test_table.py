from pathlib import Path

import pytest

from isoflop.base.errors import InputError
from isoflop.cli.main import run as run_cli
from isoflop.exchange.run_tables import read_runs
from isoflop.store.recording.recorder import record
from isoflop.store.tables.tables import tabulate_studies


def record_law(folder: Path, loss=lambda n, d: 1.7 + 400 / n**0.34 + 410 / d**0.28) -> None:
    """Runs of a known law: three budgets, four sizes each."""
    for flops in (1e15, 1e16, 1e17):
        for share in (0.25, 0.5, 1.0, 2.0):
            n = round(share * (flops / 120) ** 0.5)
            d = round(flops / (6 * n))
            name = f"c{flops:.0e}-n{n}".replace("+", "")
            columns = {"n_params": n, "flops": 6.0 * n * d, "loss_unit": "nats/token"}
            with record(folder / "runs" / name, **columns) as run:
                run.log(step=1, n_tokens=d, loss=loss(n, d))
                run.finish()


def test_recorded_runs_are_tabulated_as_their_loops_stated_them(tmp_path: Path) -> None:
    record_law(tmp_path / "mine")
    table = tabulate_studies([tmp_path / "mine"])
    assert len(table) == 12
    assert set(table.text("status")) == {"finished"}
    assert table.numbers("loss")[0] == pytest.approx(
        1.7
        + 400 / table.numbers("n_params")[0] ** 0.34
        + 410 / table.numbers("n_tokens")[0] ** 0.28
    )
    assert {"format", "journal_sha256"}.isdisjoint(table.columns)
    with record(tmp_path / "mine" / "runs" / "unfinished") as run:
        run.log(step=1, n_tokens=64, loss=3.0)
    assert len(tabulate_studies([tmp_path / "mine"])) == 12


def test_studies_of_recorded_runs_are_put_together(tmp_path: Path) -> None:
    for name in ("one", "two"):
        record_law(tmp_path / name)
    names = tabulate_studies([tmp_path / "one", tmp_path / "two"]).text("run")
    assert len(names) == 24
    assert {name.split("/")[0] for name in names} == {"one", "two"}


def test_where_no_run_is_over_or_there_is_no_ladder_one_error_says_so(tmp_path: Path) -> None:
    with record(tmp_path / "mine" / "runs" / "a") as run:
        run.log(step=1, n_tokens=64, loss=3.0)
    with pytest.raises(InputError, match="no recorded run is over yet"):
        tabulate_studies([tmp_path / "mine"])
    with pytest.raises(InputError, match=r"no ladder\.toml"):
        tabulate_studies([tmp_path / "mine"], rows="points")


def test_the_commands_read_them(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "mine"
    record_law(folder)
    assert run_cli(["ladder", "table", str(folder), "-o", str(tmp_path / "t.csv")]) == 0
    assert len(read_runs(tmp_path / "t.csv")) == 12
    assert run_cli(["ladder", "list", str(folder), "--match", "c1e15*"]) == 0
    assert capsys.readouterr().out.count("finished") == 4


def test_a_report_is_made_of_them(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    folder = tmp_path / "mine"
    record_law(folder)
    page = tmp_path / "report.html"
    assert run_cli(["report", str(folder), "-o", str(page)]) == 0
    assert "recorded runs in mine" in page.read_text()
    assert len(read_runs(folder / "runs.csv")) == 12
