"""Run tables in and out: every format gives the same table back."""

import datetime
import json
import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isoflop.base.errors import InputError, IsoflopError, RunTableError
from isoflop.exchange.run_tables import read_runs, write_runs
from isoflop.runs.columns import NUMBER_COLUMNS, POSITIVE_COLUMNS
from isoflop.runs.table import RunTable

AMOUNTS = st.floats(1e-30, 1e50, allow_nan=False)
NUMBERS = st.floats(-1e50, 1e50, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-39)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("=+-@'\",;\t\n"), max_size=12
)


@st.composite
def tables(draw: st.DrawFn) -> RunTable:
    """Draw a table of a few columns, some cells not recorded, but one of each column."""
    names = draw(st.sets(st.sampled_from(sorted(NUMBER_COLUMNS)), min_size=1, max_size=4))
    notes = draw(st.sets(st.sampled_from(["run", "family", "dataset", "my note"]), max_size=3))
    size = draw(st.integers(1, 5))
    columns: dict[str, list[object]] = {}
    for name in sorted(names):
        cells = AMOUNTS if name in POSITIVE_COLUMNS else NUMBERS
        later = st.lists(st.none() | cells, min_size=size - 1, max_size=size - 1)
        columns[name] = [draw(cells), *draw(later)]
    for name in sorted(notes):
        columns[name] = draw(st.lists(TEXTS, min_size=size, max_size=size))
    records = [{name: cells[i] for name, cells in columns.items()} for i in range(size)]
    return RunTable.from_records(records)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
@given(table=tables())
def test_a_table_written_reads_back_equal(suffix: str, table: RunTable, tmp_path: Path) -> None:
    back = read_runs(write_runs(table, tmp_path / f"runs.{suffix}"))
    assert back.records() == table.records()
    assert back.sha256() == table.sha256()


@pytest.mark.parametrize("suffix", ["csv", "tsv", "txt", "jsonl", "parquet"])
def test_the_same_runs_are_the_same_table_in_every_format(suffix: str, tmp_path: Path) -> None:
    rows = [
        {"Model Size": 1e6, "D": 2e7, "val loss": 3.25},
        {"Model Size": 2e6, "D": 4e7, "val loss": 3.0},
    ]
    path = tmp_path / f"runs.{suffix}"
    if suffix == "jsonl":
        path.write_text("\n\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    elif suffix == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        import pyarrow.parquet as parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        separator = "\t" if suffix in ("tsv", "txt") else ","
        lines = [separator.join(rows[0]), *(separator.join(map(str, r.values())) for r in rows)]
        path.write_text("\r\n".join(lines) + "\r\n\r\n", encoding="utf-8-sig", newline="")
    table = read_runs(path)
    assert len(table) == 2
    assert dict(table.mapping) == {"n_params": "Model Size", "n_tokens": "D", "loss": "val loss"}
    assert table.numbers("n_params").tolist() == [1e6, 2e6]
    assert table.numbers("loss").tolist() == [3.25, 3.0]


def test_numbers_are_written_in_full_precision(tmp_path: Path) -> None:
    losses = np.random.default_rng(0).uniform(1, 5, 200)
    table = RunTable.from_records([{"loss": float(loss)} for loss in losses])
    for suffix in ("csv", "jsonl", "parquet"):
        back = read_runs(write_runs(table, tmp_path / f"r.{suffix}"))
        assert back.numbers("loss").tolist() == losses.tolist()


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1-A1", "@SUM(A1)", "'=1+1", "''=1"])
def test_no_spreadsheet_runs_a_cell_and_it_comes_back_as_it_was(cell: str, tmp_path: Path) -> None:
    path = write_runs(RunTable.from_records([{"run": cell, "loss": 3.0}]), tmp_path / "r.csv")
    written = path.read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    assert written[0] == "'"
    assert read_runs(path).names() == [cell]


def test_negative_numbers_stay_numbers(tmp_path: Path) -> None:
    path = write_runs(RunTable.from_records([{"seed": -1.0, "loss": 3.0}]), tmp_path / "r.csv")
    assert path.read_text(encoding="utf-8").splitlines()[1] == "-1.0,3.0"


def test_columns_of_other_names_are_read_as_told(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("width,ema,loss\n64,3.5,3.0\n", encoding="utf-8")
    table = read_runs(path, columns={"n_params": "width", "loss": "ema"})
    assert table.numbers("n_params").tolist() == [64.0]
    assert table.numbers("loss").tolist() == [3.5]
    assert table.text("loss_as_read") == ["3.0"]


BAD_TEXT = {
    "empty": ("r.csv", "", "r.csv: the file is empty; expected a header and rows"),
    "blank": ("r.csv", " \n\n", "r.csv: the file is empty; expected a header and rows"),
    "header only": (
        "r.csv",
        "N,D,loss\n",
        "r.csv: no runs found; a run table needs at least one row",
    ),
    "repeated header": (
        "r.csv",
        "N,loss,loss\n1,2,3\n",
        "r.csv: column 'loss' appears twice in the header",
    ),
    "short row": (
        "r.csv",
        "N,D,loss\n1,2,3\n\n1,2\n",
        "r.csv row 2: 2 cells, but the header has 3",
    ),
    "long row": ("r.csv", "N,loss\n1,2,3\n", "r.csv row 1: 3 cells, but the header has 2"),
    "text": (
        "r.csv",
        "N,loss\n1e6,3\n2e6,abc\n",
        "r.csv row 2 `loss`: expected a number, found 'abc'",
    ),
    "cell of a megabyte": (
        "r.csv",
        "N,loss\n1e6," + "3" * 200_000 + "\n",
        "r.csv: line 2 is not readable (field larger than field limit (131072))",
    ),
    "open quote": (
        "r.csv",
        'N,loss\n1e6,3\n2e6,"2.9\n3e6,2.8\n4e6,2.7\n',
        "r.csv: the quote opened on line 3 is not closed; 3 lines are swallowed, up to line 5",
    ),
    "open quote on the last line": (
        "r.csv",
        'N,loss\n1e6,3\n2e6,"2.9',
        "r.csv: the quote opened on line 3 is not closed",
    ),
    "open quote in the header": (
        "r.csv",
        'N,"loss\n1e6,3\n',
        "r.csv: the quote opened on line 1 is not closed; 2 lines are swallowed, up to line 2",
    ),
    "ambiguous": (
        "r.csv",
        "N,params,loss\n1,1,1\n",
        "columns 'N' and 'params' both read as `n_params`; say which with --columns n_params=NAME",
    ),
    "no JSON": ("r.jsonl", '{"N": 1, "loss": 2}\nhello\n', "r.jsonl row 2: JSON: not valid JSON"),
    "JSON list": ("r.jsonl", "[1]\n", "r.jsonl row 1: expected one JSON object a line"),
    "JSON number": ("r.jsonl", "3\n", "r.jsonl row 1: expected one JSON object a line"),
    "nested": (
        "r.jsonl",
        '{"loss": {"eval": 3}}\n',
        "r.jsonl row 1 `loss`: expected a number or text, found dict",
    ),
    "boolean": (
        "r.jsonl",
        '{"loss": true}\n',
        "r.jsonl row 1 `loss`: expected a number or text, found bool",
    ),
    "NaN": ("r.jsonl", '{"loss": NaN}\n', "r.jsonl row 1: JSON: not valid JSON (NaN is not"),
    "huge integer": (
        "r.jsonl",
        '{"loss": 1' + "0" * 400 + "}\n",
        "r.jsonl row 1 `loss`: found inf; leave the cell empty",
    ),
    "repeated key": (
        "r.jsonl",
        '{"loss": 1, "loss": 2}\n',
        "r.jsonl row 1: JSON: not valid JSON (key 'loss' appears twice)",
    ),
    "not Parquet": ("r.parquet", "hello", "r.parquet: not readable as Parquet ("),
    "unknown suffix": (
        "r.xlsx",
        "hello",
        "r.xlsx: cannot tell the format; expected one of .csv, .tsv, .txt, .jsonl, .parquet; "
        "isoflop import r.xlsx -o runs.csv turns others into a run table",
    ),
}


@pytest.mark.parametrize("case", BAD_TEXT)
def test_a_bad_file_is_refused_by_name_row_and_field(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, text, message = BAD_TEXT[case]
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_runs(name)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_what_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(b"N,loss\n\xff\xfe,3\n")
    with pytest.raises(RunTableError, match=r"r\.csv: not UTF-8 text \(byte 7\)"):
        read_runs(path)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    with pytest.raises(InputError, match=r"folder\.csv: cannot be read \(Is a directory\)"):
        read_runs(folder)
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        read_runs(tmp_path / "none.csv")


def test_a_table_is_not_written_where_the_format_cannot_be_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected one of \.csv, \.jsonl, \.parquet"):
        write_runs(RunTable.from_records([{"loss": 3.0}]), tmp_path / "runs.pickle")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(min_size=1, max_size=200) | st.text(string.printable).map(str.encode))
def test_any_bytes_at_all_are_a_table_or_one_of_our_errors(
    suffix: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / f"r.{suffix}"
    path.write_bytes(content)
    refusal = ""
    try:
        assert len(read_runs(path)) > 0
    except IsoflopError as error:
        refusal = str(error)
    assert "\n" not in refusal


def test_a_date_or_a_list_in_a_parquet_file_is_no_loss(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    path = tmp_path / "r.parquet"
    for cell in (datetime.date(2024, 4, 15), [3.0], {"eval": 3.0}, b"3.0x"):
        parquet.write_table(pyarrow.Table.from_pylist([{"loss": cell}]), path)
        with pytest.raises(RunTableError, match="row 1 `loss`: expected a number, found"):
            read_runs(path)
