"""`isoflop report` of a plain run table: the page, its twin, the answer and the warnings."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")


def test_a_run_table_becomes_a_page_with_the_law_that_fit_gives(isoflop, runs: str) -> None:
    result = isoflop("report", runs, "-o", "page.html", "--json")
    assert result.code == 0
    found = result.document
    assert len(found["answer"]) == 6
    assert found["backtest"]["n_test"] >= 4
    fitted = isoflop("fit", runs, "--json").document
    for key in ("params", "derived", "objective", "data"):
        assert found["chinchilla"][key] == fitted[key]
    page = Path("page.html").read_text(encoding="utf-8")
    assert "Scaling laws of" in page
    assert "<svg" in page or "data:image/png" in page
    assert str(Path.cwd()) not in page
    assert Path("page.md").exists()
    assert Path("page_figures/isoflop-valleys.png").exists()


def test_warnings_of_the_fit_reach_stderr_and_the_answer(isoflop, runs: str) -> None:
    lines = Path(runs).read_text().splitlines()
    mixed = [f"{lines[0]},dataset", *(f"{line},{'ab'[i % 2]}" for i, line in enumerate(lines[1:]))]
    Path("mixed.csv").write_text("\n".join(mixed) + "\n")
    result = isoflop("report", "mixed.csv", "-o", "mixed.html")
    assert result.code == 0
    assert "warning: mixed-dataset: 2 values of `dataset`" in result.err
    assert "see mixed-dataset" in result.out.splitlines()[-1]


def test_what_is_not_there_is_said_to_be(isoflop) -> None:
    result = isoflop("report", "nowhere")
    assert (result.code, result.error) == (2, "nowhere: no such study, run table or fit")


def test_the_commands_of_a_page_read_the_table_as_it_was_read(isoflop, runs: str) -> None:
    header, *rows = [line.split(",") for line in Path(runs).read_text().splitlines()]
    kept = [k for k, name in enumerate(header) if name != "n_tokens"]
    lines = [",".join(row[k] for k in kept) for row in (header, *rows)]
    Path("bare.csv").write_text("\n".join(lines) + "\n")
    options = ("--derive", "n_tokens", "--drop-highest-loss", "1")
    assert isoflop("report", "bare.csv", *options, "-o", "page.html").code == 0
    shown = [line for line in Path("page.md").read_text().splitlines() if "isoflop fit" in line]
    assert shown == ["isoflop fit bare.csv --derive n_tokens --drop-highest-loss 1 -o law.json"]
    assert isoflop(*shown[0].split()[1:]).code == 0
