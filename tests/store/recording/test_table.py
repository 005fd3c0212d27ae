import inspect
from pathlib import Path

import pytest

from isoflop import import_runs
from isoflop.base.errors import InputError
from isoflop.cli.main import run as run_cli
from isoflop.exchange.run_tables import read_runs
from isoflop.store.recording.record import record
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
    with pytest.raises(InputError) as caught:
        tabulate_studies([tmp_path / "mine"])
    said, _, remedy = str(caught.value).partition(", or now: isoflop.")
    mine = tmp_path / "mine"
    assert (
        said == f"{mine}: 1 recorded run, none of them finished; call finish() at the end of a loop"
    )
    assert remedy == f'record("{mine / "runs" / "a"}", resume=True).finish()'
    with pytest.raises(InputError) as imported:
        import_runs(mine)
    assert str(imported.value) == str(caught.value)
    record(mine / "runs" / "a", resume=True).finish()  # as it says
    assert import_runs(mine).n_read == 1
    assert len(tabulate_studies([mine])) == 1
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
    text = page.read_text()
    assert "isoflop report mine" in text
    assert "isoflop fit mine/runs.csv -o law.json" in text


def test_a_report_that_is_refused_names_what_was_given_and_leaves_nothing(
    tmp_path: Path, capsys
) -> None:
    """It named runs.csv, which nobody had written or asked for."""
    pytest.importorskip("matplotlib")
    folder = tmp_path / "mine"
    for k in (1, 2, 3):
        with record(folder / "runs" / f"w{k}", n_params=1000 * k, flops=384_000 * k) as run:
            run.log(step=1, n_tokens=64, loss=3 / k)
            run.finish()
    assert run_cli(["report", str(folder), "-o", str(tmp_path / "report.html")]) in (1, 2)
    said = capsys.readouterr().err
    assert said.startswith(f"error: {folder}: 3 distinct runs cannot determine")
    assert "runs.csv" not in said
    assert [path.name for path in folder.iterdir()] == ["runs"]


def test_record_says_what_finish_is_for() -> None:
    said = inspect.getdoc(record) or ""
    for word in ("`finish`", "`unfinished`", "run.finish()", ">>> with record("):
        assert word in said
