"""`isoflop check` on the command line."""

from pathlib import Path

import isoflop as library
from isoflop.exchange.run_tables import write_runs
from isoflop.runs.table import RunTable


def test_a_table_without_errors_exits_with_0_and_names_its_findings(isoflop, runs):
    result = isoflop("check", runs)
    assert result.code == 0
    assert "note: noise-unknown: none of " in result.out
    assert "  see: docs/check/README.md#noise-unknown" in result.out


def test_the_document_is_that_of_the_python_line(isoflop, runs):
    result = isoflop("check", runs, "--flops", "1e24", "--json")
    assert (
        result.document == library.check_runs(library.read_runs(Path(runs)), flops=1e24).to_dict()
    )
    keys = {"code", "severity", "evidence", "consequence", "remedy", "runs", "rows", "numbers",
            "shift", "docs"}  # fmt: skip
    assert all(set(found) == keys for found in result.document["findings"])


def test_an_impossible_cell_is_told_by_the_python_line_too(isoflop, runs):
    lines = Path(runs).read_text(encoding="utf-8").splitlines()
    column = lines[0].split(",").index("n_params")
    cells = lines[2].split(",")
    Path("bad.csv").write_text(
        "\n".join([*lines[:2], ",".join([*cells[:column], "0", *cells[column + 1 :]]), *lines[3:]]),
        encoding="utf-8",
    )
    result = isoflop("check", "bad.csv", "--json")
    table = library.read_runs("bad.csv", bad_cells="empty")
    assert result.document == library.check_runs(table).to_dict()
    assert "impossible-values" in {found["code"] for found in result.document["findings"]}
    said = " ".join(isoflop("check", "-h").out.split())
    assert 'isoflop.read_runs("runs.csv", bad_cells="empty")' in said


def test_a_pickle_is_not_sent_to_an_import_that_refuses_it(isoflop):
    Path("x.pkl").write_bytes(b"")
    result = isoflop("check", "x.pkl")
    assert result.code == 2
    assert ".pkl files may run code when read" in result.error
    assert "isoflop import" not in result.error


def test_a_ray_is_an_error_and_exits_with_1(isoflop, tmp_path):
    sizes = [1e7 * 1.5**k for k in range(15)]
    ray = [{"n_params": n, "n_tokens": 20 * n, "loss": 2 + 40 * n**-0.2} for n in sizes]
    name = write_runs(RunTable.from_records(ray), tmp_path / "ray.csv").name
    result = isoflop("check", name)
    assert result.code == 1
    assert "error: single-ray" in result.out


def test_the_help_says_when_it_exits_with_1(isoflop):
    assert "Exit code 1 when a finding is an error" in " ".join(isoflop("check", "-h").out.split())


def test_a_file_that_is_not_there_is_one_line(isoflop):
    result = isoflop("check", "nothing.csv")
    assert result.code == 2
    assert "nothing.csv" in result.error
