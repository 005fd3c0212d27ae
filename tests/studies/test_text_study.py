"""The study on text: planned, trained at its smallest, measured, written; and its arithmetic."""

import json
import math

import numpy as np
import pytest

import isoflop
from isoflop.base.atomic import write_atomic
from isoflop.runs.ladders.toml import parse_ladder, print_ladder
from isoflop.runs.table import RunTable

pytest.importorskip("torch")

from studies.text import __main__ as command
from studies.text.drive import measure
from studies.text.ladders import unique_ladders
from studies.text.measure_batch import noise_at, noise_by_loss
from studies.text.measure_contradiction import cross
from studies.text.measure_grid import find_frontier
from studies.text.measure_transfer import measure_finetune
from studies.text.page import write_page
from studies.text.parts import PARTS, find_parts
from studies.text.results import slope_line
from studies.text.sizes import FULL, SIZES, TINY
from studies.text.tables import at_nearest, equal_budgets
from studies.text.texts import unique_path, write_unique

A, B, ALPHA, BETA, E = 60.0, 300.0, 0.4, 0.4, 0.9


def planted(sizes, budgets, *, floor=E) -> RunTable:
    """Runs on Chinchilla's surface, with a head of 20 % of the size on top."""
    rows = [
        {
            "n_params": 1.2 * n,
            "n_params_non_embedding": n,
            "n_params_with_head": 1.2 * n,
            "n_tokens": d,
            "flops": 6 * 1.2 * n * d,
            "loss": floor + A / n**ALPHA + B / d**BETA,
        }
        for n in sizes
        for d in budgets
    ]
    return RunTable.from_records(rows)


def test_losses_on_equal_budgets_give_the_planted_exponent():
    runs = planted(np.geomspace(3e3, 3e6, 16), np.geomspace(1e5, 3e8, 24))
    a = find_frontier(runs, "non-embedding, C = 6ND").params["a"]
    assert a.value == pytest.approx(BETA / (ALPHA + BETA), abs=0.01)


def test_the_crossing_of_planted_trends_is_where_they_are_equal():
    runs = planted(np.geomspace(3e3, 3e6, 16), np.geomspace(1e5, 3e8, 24), floor=0.0)
    tokens = np.geomspace(1e5, 1e7, 6)
    rows = [{"n_tokens": d, "loss": 60.0 / d**0.25} for d in tokens]
    data_law = isoflop.fit(RunTable.from_records(rows), "kaplan-d")
    found = cross(runs, data_law)
    # With alpha = beta = .4: N* = (A/B)^1.25·D*, so that L_C = 2·A/N*^.4 = 2·sqrt(AB)/(C/6)^.2.
    ratio = (A * 1.2**ALPHA / B) ** 1.25
    share = 2 * (A * 1.2**ALPHA * B) ** 0.5
    C = 6 * (share / 60.0 * ratio**-0.25) ** (1 / (0.2 - 0.125))
    assert math.log(found.flops.value / C) == pytest.approx(0, abs=0.3)


def test_nothing_is_read_beyond_a_sizes_own_budgets():
    runs = planted([1e4, 1e5], [1e6, 4e6])
    between = equal_budgets(runs)
    tokens = between.numbers("n_tokens")
    assert len(between) > 0
    assert tokens.min() >= 1e6
    assert tokens.max() <= 4e6
    exact = E + A / between.numbers("n_params") ** ALPHA
    top = exact * 1.2**ALPHA + B / 1e6**BETA
    assert (between.numbers("loss") <= top).all()


def test_data_transferred_is_what_new_weights_would_have_needed_beside_what_was_seen(
    tmp_path, monkeypatch
):
    k, alpha, beta = 40.0, 0.5, 0.25
    sizes, budgets = (1e4, 1e5, 1e6), np.geomspace(2e4, 8e7, 40)

    def loss(n, d):
        return E + A / n**ALPHA + B / d**BETA

    def table(rows) -> RunTable:
        columns = ("n_params", "n_tokens", "loss")
        full = [dict(zip(columns, r, strict=True)) for r in rows]
        return RunTable.from_records([{**r, "n_params_non_embedding": r["n_params"]} for r in full])

    tables = {
        "second": table([(n, d, loss(n, d)) for n in sizes for d in budgets[20:]]),
        "pretrain": table([(n, 1e6, 3.0) for n in sizes]),
        "scratch": table([(n, d, loss(n, d)) for n in sizes for d in budgets[:20]]),
        "finetune": table(
            [
                (n, d, loss(n, d + k * d**alpha * n**beta))
                for n in sizes
                for d in (4e4, 1e5, 2.5e5, 6e5)
            ]
        ),
    }
    monkeypatch.setattr(
        isoflop,
        "tabulate_studies",
        lambda paths: RunTable.from_records([r for p in paths for r in tables[p.name].records()]),
    )
    result = measure_finetune([tmp_path / name for name in tables])
    effective, law = result.tables
    for _, budget, _, needed, extra in effective.rows:
        assert extra == needed - budget
    _, *found = law.rows[0]
    for cell, planted_value in zip(found[1:], (alpha, beta), strict=True):
        assert cell["value"] == pytest.approx(planted_value, rel=0.02)
    assert found[0]["value"] == pytest.approx(k, rel=0.1)


def test_the_noise_scale_along_a_trunk_is_a_ratio_of_means_and_is_not_read_beyond_it():
    rng = np.random.default_rng(0)
    losses = np.linspace(3.0, 2.0, 400)
    rows = [
        {"loss": x, "grad_trace": 900.0, "grad_sq": 0.3 * rng.lognormal(sigma=0.3)} for x in losses
    ]
    found = noise_by_loss(RunTable.from_records(rows))
    mean = 0.3 * math.exp(0.3**2 / 2)
    assert np.median(found[1]) == pytest.approx(900 / mean, rel=0.05)
    assert noise_at(2.5, found) == pytest.approx(900 / mean, rel=0.5)
    assert noise_at(1.5, found) == noise_at(3.5, found) == "–"


def test_the_nearest_rows_are_nearest_by_ratio():
    table = RunTable.from_records([{"n_params": x, "loss": 1.0} for x in (1.0, 10.0, 10.0, 50.0)])
    assert at_nearest(table, "n_params", 20.0).numbers("n_params").tolist() == [10.0, 10.0]
    assert at_nearest(table, "n_params", 24.0).numbers("n_params").tolist() == [50.0]


def test_a_published_slope_passes_through_the_middle_of_the_points():
    x = np.geomspace(1.0, 1e4, 9)
    (line,) = slope_line(x.tolist(), (7 * x**-0.2).tolist(), -0.2, "slope")
    assert line.y == pytest.approx((7.0, 7 * 1e4**-0.2))
    assert slope_line([1.0], [1.0], -0.2, "slope") == ()


def test_every_ladder_of_every_size_is_a_valid_ladder_file(tmp_path):
    names = []
    for size in SIZES.values():
        for part in PARTS:
            for training in part.ladders(size, tmp_path):
                assert parse_ladder(print_ladder(training.ladder)) == training.ladder
                names.append(f"{size.name}/{training.name}")
    assert len(set(names)) == len(names)
    varied = [len(size.batches) + len(size.unique) for size in (FULL, TINY)]
    assert len(names) == sum(varied) + 2 * 11


def test_a_part_brings_the_parts_it_reads():
    assert [part.name for part in find_parts(["lstm"])] == ["grid", "lstm"]
    assert find_parts([]) == PARTS


def test_distinct_texts_hold_no_held_out_document(tmp_path):
    from isoflop.lab.data.corpora import read_corpus

    write_unique("sotu", 16_384, tmp_path)
    text = unique_path("sotu", 16_384, tmp_path).read_bytes()
    assert len(text) == pytest.approx(16_384 / 0.9, rel=0.01)
    held_out = [d for i, d in enumerate(read_corpus("sotu").documents) if i % 10 == 9]
    assert not any(document[1000:1200] in text for document in held_out)
    for training in unique_ladders(TINY, tmp_path):
        assert training.ladder.max_epochs >= max(TINY.epochs)


def test_the_smallest_part_from_plan_to_page(tmp_path, capsys):
    folder, page = tmp_path / "out", tmp_path / "page.md"
    arguments = ["--tiny", "--only", "shape", "--out", str(folder), "--page", str(page)]
    assert command.main([*arguments, "--plan"]) == 0
    assert "shape" in capsys.readouterr().out
    assert not (folder / "tiny/studies").exists()
    assert measure(find_parts(["shape"])[0], TINY, folder / "tiny") is None

    assert command.main([*arguments, "--hours", "0"]) == 0
    assert "left for later" in capsys.readouterr().out
    assert command.main(arguments) == 0
    result = json.loads((folder / "tiny/results/shape.json").read_text("utf-8"))
    rows = result["tables"][0]["rows"]
    assert [row[0] for row in rows] == ["l1-d12-f4", "l2-d8-f4"]
    # 12·n_layer·d_model² and nothing else: Kaplan et al. 2020, table 1.
    assert [row[1] for row in rows] == [12 * 12**2, 2 * 12 * 8**2]
    assert all(1.0 < row[2] < math.log(256) for row in rows)
    assert "## Shape sweep" in page.read_text("utf-8")
    assert "Not measured yet: grid" in page.read_text("utf-8")

    made = {path: path.stat().st_mtime_ns for path in (folder / "tiny").rglob("run.json")}
    before = page.read_text("utf-8")
    assert command.main(arguments) == 0
    assert "done" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert page.read_text("utf-8") == before


def test_a_page_without_results_names_every_part(tmp_path):
    page = write_page(tmp_path, tmp_path / "page.md")
    assert all(part.name in page.read_text("utf-8") for part in PARTS)


def test_the_ladder_files_are_those_of_the_full_size():
    from studies.text.write_ladders import FOLDER, ladder_files

    assert {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.toml")} == ladder_files()


def test_a_picture_with_nothing_on_it_is_not_drawn(tmp_path):
    empty = {"name": "none", "title": "none", "x": "flops", "y": "loss", "series": []}
    result = {
        "title": "T",
        "size": "tiny",
        "notes": [],
        "tables": [],
        "panels": [empty],
        "headline": [],
    }
    write_atomic(tmp_path / "results/grid.json", json.dumps(result))
    page = write_page(tmp_path, tmp_path / "page.md")
    assert "## T" in page.read_text("utf-8")
    assert not (tmp_path / "page").exists()
