"""`isoflop downstream`: planted tasks, GPT-3's printed scores, and what is refused."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

import isoflop as package

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
SCORES = SHARED / "gpt3-task-scores" / "scores.csv"
QUESTIONS, CHANCE = 1000, 0.25
AT = ("--chance", "0.25", "--questions", "1000")


def loss_at(C):
    return 1.2 + 60 * C**-0.09


def solved(L):
    return CHANCE + 0.7 / (1 + np.exp(4 * (L - 2.4)))


def write_runs(seed: int = 0, *, low: float = 1e17, high: float = 1e21, n: int = 40) -> None:
    rng = np.random.default_rng(seed)
    C = np.geomspace(low, high, n)
    L = loss_at(C)
    accuracy = rng.binomial(QUESTIONS, solved(L)) / QUESTIONS
    rows = zip(C, L * np.exp(0.003 * rng.standard_normal(n)), accuracy, strict=True)
    lines = [f"{c:.17g},{loss:.17g},{share}" for c, loss, share in rows]
    Path("tasks.csv").write_text("flops,loss,hella\n" + "\n".join(lines) + "\n")


def test_a_planted_task_is_foreseen_inside_its_intervals(isoflop) -> None:
    held = 0
    for seed in range(6):
        write_runs(seed)
        result = isoflop("downstream", "tasks.csv", "--metric", "hella", "--flops", "1e22", *AT,
                         "--json")  # fmt: skip
        assert result.code == 0
        (found,) = result.document["predictions"]
        score = found["accuracy"]
        assert score["level"] == 0.9
        assert 0 < score["high"] - score["low"] < 0.15
        assert found["loss"]["low"] < loss_at(1e22) < found["loss"]["high"]
        held += score["low"] <= solved(loss_at(1e22)) <= score["high"]
    assert held >= 4


def test_people_read_both_steps_and_what_an_interval_covers(isoflop) -> None:
    write_runs()
    result = isoflop(
        "downstream", "tasks.csv", "--metric", "hella", "--flops", "1e22", "--flops", "1e23", *AT
    )
    assert result.out.startswith("loss by power-constant: ")
    assert "hella by accuracy-sigmoid: " in result.out
    assert "with floor = 0.25" in result.out
    predicted = [line for line in result.out.splitlines() if line.startswith("at flops ")]
    assert len(predicted) == 2
    assert all("(90 %, one future run)" in line for line in predicted)
    assert "few-above-chance" not in result.out
    assert "accuracy-at-floor" not in result.out


def test_the_command_is_the_python_line(isoflop) -> None:
    write_runs()
    shown = isoflop(
        "downstream", "tasks.csv", "--metric", "hella", "--flops", "1e22", *AT, "--json"
    )
    task = package.Task("hella", chance=0.25, n_questions=1000)
    found = package.forecast_task(package.read_runs("tasks.csv"), task, {"flops": [1e22]})
    assert shown.document["predictions"] == found.to_dict()["predictions"]  # type: ignore[comparison-overlap]


def test_runs_at_chance_show_no_curve_and_it_is_said(isoflop) -> None:
    write_runs(high=5e17, n=30)
    result = isoflop("downstream", "tasks.csv", "--metric", "hella", "--chance", "0.4",
                     "--questions", "1000")  # fmt: skip
    assert "warning: few-above-chance: 0 of 30 runs score more than 0.431" in result.out


def test_accuracies_of_zero_are_found(isoflop) -> None:
    write_runs()
    rows = Path("tasks.csv").read_text().splitlines()
    flat = [rows[0], *(row.rpartition(",")[0] + ",0" for row in rows[1:21]), *rows[21:]]
    Path("tasks.csv").write_text("\n".join(flat) + "\n")
    result = isoflop(
        "downstream", "tasks.csv", "--metric", "hella", "--map", "accuracy-exponential"
    )
    assert "accuracy-at-floor: 20 of 40 runs solve no question" in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metric", "hellas"], "unknown number column 'hellas'; did you mean hella?"),
        (["--metric", "loss"], "tasks.csv row 1 `loss`: found 2.96"),
        (["--metric", "hella", "--n-params", "1e9", "--flops", "1e22"], "power-constant is a law"),
        (["--metric", "hella", "--benchmarks", "loss"], "--benchmarks predicts models of a --fam"),
        (["--metric", "hella", "--flops", "1", "--n-params", "1", "--n-params", "2"], "give as ma"),
    ],
)
def test_what_cannot_be_is_one_line(isoflop, arguments: list[str], message: str) -> None:
    write_runs()
    result = isoflop("downstream", "tasks.csv", *arguments)
    assert result.code == 2
    assert result.error.startswith(message)


@pytest.mark.skipif(not SCORES.exists(), reason="gpt3-task-scores/scores.csv is not here; point "
                    "ISOFLOP_SHARED_DATA at the folder that holds it")  # fmt: skip
@pytest.mark.parametrize("task", ["HellaSwag", "PIQA"])
def test_gpt_3s_largest_model_is_foreseen_from_the_smaller_ones(isoflop, task: str) -> None:
    """Brown et al. 2020, table H.1, zero-shot; 300e9 tokens each."""
    others = ("ARC-C", "ARC-E", "OpenBookQA", "StoryCloze", "Winograd")
    with SCORES.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["shots"] == "zero"]
    shares = {(row["task"], float(row["n_params"])): float(row["score_percent"]) / 100
              for row in rows}  # fmt: skip
    sizes = sorted({size for _, size in shares})
    lines = ["family,flops," + ",".join((task, *others))]
    for size in sizes[:-1]:
        cells = [str(shares[name, size]) for name in (task, *others)]
        lines.append(",".join(["gpt-3", f"{6 * size * 3e11:.6g}", *cells]))
    Path("models.csv").write_text("\n".join(lines) + "\n")
    result = isoflop("downstream", "models.csv", "--metric", task, "--benchmarks",
                     ",".join(others), "--family", "gpt-3", "--flops",
                     f"{6 * sizes[-1] * 3e11:.6g}", "--json")  # fmt: skip
    assert result.code == 0
    score = result.document["predictions"][0][task]
    assert score["value"] == pytest.approx(shares[task, sizes[-1]], abs=0.05)
    assert score["low"] <= shares[task, sizes[-1]] <= score["high"]
