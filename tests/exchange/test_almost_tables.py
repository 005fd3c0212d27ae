"""Files that are almost tables of runs: each is told apart in one clear sentence."""

import gzip
import zipfile
from pathlib import Path

import pytest

from isoflop.base.errors import InputError
from isoflop.exchange.import_runs import import_runs
from isoflop.exchange.run_tables import read_runs

TABLE = "N,loss\n1e6,3\n2e6,2.9\n"


def pack(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_a_workbook_is_called_one(tmp_path: Path) -> None:
    excel = {"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"}
    for name, members in (("r.xlsx", excel), ("r.ods", {"mimetype": "x", "content.xml": "<x/>"})):
        with pytest.raises(InputError, match=r"a workbook of a spreadsheet; save its sheet as CSV"):
            import_runs(pack(tmp_path / name, members))


def test_of_several_tables_one_is_to_be_named(tmp_path: Path) -> None:
    path = pack(tmp_path / "two.zip", {"a.csv": TABLE, "b.csv": TABLE})
    with pytest.raises(InputError) as refused:
        import_runs(path)
    assert str(refused.value) == (
        f"{path}: no runs recognised in this zip, but tables (a.csv, b.csv); "
        "unpack it and import one"
    )


def test_what_the_finder_adds_to_a_zip_is_passed_over(tmp_path: Path) -> None:
    path = pack(tmp_path / "r.zip", {"x/r.csv": TABLE, "__MACOSX/x/._r.csv": "\0\5\x16\7"})
    assert import_runs(path).table.numbers("loss").tolist() == [3.0, 2.9]
    pack(path, {"x/r.csv": TABLE, "x/notes.txt": "of it"})
    with pytest.raises(InputError, match="no runs recognised in this zip, but tables"):
        import_runs(path)


@pytest.mark.parametrize("order", ["utf-16", "utf-16-be"])
def test_utf_16_is_named(order: str, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(("\ufeff" if order.endswith("be") else "").encode(order) + TABLE.encode(order))
    for read in (import_runs, read_runs):
        with pytest.raises(InputError, match=r"r\.csv: UTF-16; save it as UTF-8$"):
            read(path)


def test_bombs_are_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "r.csv.gz"
    path.write_bytes(gzip.compress(b"0" * 5_000_000))
    for each in (path, pack(tmp_path / "r.zip", {"r.csv": "0" * 5_000_000})):
        with pytest.raises(InputError, match=r"bytes unpack to more than \d+, as those of a bomb"):
            import_runs(each)


def test_rows_keep_their_numbers_after_one_that_was_refused(tmp_path: Path) -> None:
    log = tmp_path / "r.jsonl"
    log.write_text('{"N": 1e6, "loss": 3}\n{oops\n{"N": 2e6, "loss": "x"}\n{"N": 4e6, "loss": 2}\n')
    table = tmp_path / "r.csv"
    table.write_text("N,loss\n1e6,3\n1,2,3\n2e6,x\n4e6,2\n")
    for path in (log, table):
        imported = import_runs(path)
        assert [r.where for r in imported.refused] == ["row 2", "row 3 `loss`"]
        assert imported.table.rows.tolist() == [1, 4]


def test_nan_is_a_diverged_run_and_an_empty_cell_one_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("run,N,D,loss\na,1e6,2e7,3\nb,1e6,2e7,NaN\nc,1e6,2e7,\nd,1e6,NaN,2.9\n")
    imported = import_runs(path)
    assert imported.n_refused == 0
    assert imported.table.text("status") == ["", "diverged", "", ""]
    assert [r["n_tokens"] for r in imported.table.records()] == [2e7, 2e7, 2e7, None]
    assert "the loss of 1 runs is not a number: they are `diverged`" in imported.notes
    assert "1 runs have no loss; fits leave them out" in imported.notes
    path.write_text("N,loss\n1e6,3\ninf,2.9\n")
    assert [r.where for r in import_runs(path).refused] == ["row 2 `n_params`"]


def test_event_files_without_a_scalar_hold_no_runs(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1.x"
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"no runs found \(read as TensorBoard event files\)$"):
        import_runs(path)


def test_comments_above_a_header_are_passed_over_and_a_row_of_a_name_is_no_run(
    tmp_path: Path,
) -> None:
    path = tmp_path / "r.csv"
    path.write_text("# runs of May, tuned\n\n#\nrun,N,loss\na,1e6,3\nb,2e6,2.9\ntotal,,\n")
    imported = import_runs(path)
    assert imported.table.names() == ["a", "b"]
    assert [(each.where, each.why) for each in imported.refused] == [
        ("row 3", "nothing but a name")
    ]
    assert not any("no loss" in note for note in imported.notes)
    path.write_text("# runs of May, tuned\nrun,N,loss\na,1e6,3\n")
    assert read_runs(path).numbers("loss").tolist() == [3.0]
    path.write_text("# N,loss\n1e6,3\n")  # as NumPy writes a header
    assert import_runs(path, columns={"n_params": "# N"}).table.numbers("n_params") == [1e6]


def test_a_run_of_a_curve_that_cannot_be_taken_is_named_with_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("run,step,n_params,loss\n" + "".join(
        f"{run},{step},{size},{4 - step}\n" for run, size in (("x", "10M"), ("y", "1e7"))
        for step in (1, 2, 3)
    ))  # fmt: skip
    imported = import_runs(path)
    assert imported.table.names() == ["y"]
    assert (imported.n_read, imported.n_refused) == (6, 3)
    (refused,) = imported.refused
    assert refused.where == "run x `n_params`"
    assert refused.why.startswith("expected a number, found '10M'")
    assert "Refused  run x `n_params`: " in str(imported)
    assert str(imported).count("(3 rows)") == 1
