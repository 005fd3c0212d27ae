"""Ladder files that planners write, and the examples to begin with."""

from pathlib import Path

import pytest

from isoflop.runs.designs.examples import EXAMPLES
from isoflop.runs.ladders.toml import parse_ladder, read_ladder


def test_design_and_next_write_ladder_files_that_read_back(isoflop, law: str) -> None:
    options = ["--law", "besiroglu-2024", "--budget", "1e13", "--flops", "1e15"]
    result = isoflop("design", *options, "--max-runs", "8", "-o", "d.toml", "--n-layer", "2")
    assert result.code == 0
    assert "isoflop ladder plan d.toml" in result.err
    ladder = parse_ladder(Path("d.toml").read_text())
    assert sum(1 for _ in ladder.runs()) == 8
    largest = ["--flops", "1e15", "--largest", "1e12", "--top", "3", "-o", "n.toml"]
    assert isoflop("next", "--law", law, *largest, "--n-layer", "2").code == 0
    assert sum(1 for _ in parse_ladder(Path("n.toml").read_text()).runs()) == 3


@pytest.mark.parametrize("design", EXAMPLES)
def test_every_design_has_an_example_by_one_command(isoflop, design: str) -> None:
    assert isoflop("ladder", "example", design).out == EXAMPLES[design]
    result = isoflop("ladder", "example", design, "-o", "ladder.toml")
    assert "isoflop ladder plan ladder.toml" in result.err
    again = isoflop("ladder", "example", design, "-o", "ladder.toml")
    assert (again.code, again.error.split(";")[0]) == (2, "ladder.toml exists")
    shown = isoflop("ladder", "show", "ladder.toml").out
    assert parse_ladder(shown) == read_ladder("ladder.toml")
    laid_out = isoflop("ladder", "show", "ladder.toml", "--rungs").out
    assert parse_ladder(laid_out) == read_ladder("ladder.toml")
    assert "[[rungs]]" in laid_out


def test_plan_tells_epochs_memory_evaluation_and_dollars(isoflop) -> None:
    pytest.importorskip("torch")
    isoflop("ladder", "example", "grid", "-o", "ladder.toml")
    priced = ["--accelerator", "h100", "--dollars-per-hour", "3", "--mfu", "0.4"]
    document = isoflop("ladder", "plan", "ladder.toml", *priced, "--json").document
    hours = document["flops"] / (989.4e12 * 0.4) / 3600
    assert document["accelerator"]["cost_usd"] == pytest.approx(3 * hours)
    rung = document["rungs"][-1]
    from isoflop.lab.data.corpora import read_corpus

    documents = read_corpus("sotu").documents
    total = sum(len(text) + 1 for text in documents)
    assert rung["epochs"] == pytest.approx(524288 / (0.9 * total), rel=0.05)
    assert 2e8 < rung["memory_bytes"] <= document["memory_bytes"]
    assert document["evaluation_flops"] > 0
    text = isoflop("ladder", "plan", "ladder.toml", "--dollars-per-hour", "3").out
    assert "epochs" in text
    assert "dollars of this machine" in text
