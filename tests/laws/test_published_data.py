"""Published constants on the runs they were fitted to: the objectives that others report.

The run tables are not part of this repository; the tests are skipped where they are absent.
"""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from isoflop.laws.catalog import find_published
from isoflop.laws.law import Array

BESIDE_THE_CHECKOUT = Path(__file__).parents[3] / "shared" / "data"
DATA = Path(os.environ.get("ISOFLOP_SHARED_DATA", BESIDE_THE_CHECKOUT))


def read(table: str) -> dict[str, Array]:
    path = DATA / table
    if not path.exists():
        pytest.skip(f"{table} is absent; set ISOFLOP_SHARED_DATA to the folder that holds it")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = [name for name in rows[0] if name not in ("name", "color", "hex_color")]
    return {name: np.array([float(row[name]) for row in rows]) for name in numbers}


def huber_sum(residuals: Array, delta: float = 1e-3) -> float:
    size = np.abs(residuals)
    return float(np.where(size < delta, size**2 / 2, delta * (size - delta / 2)).sum())


def residuals_of(name: str, runs: dict[str, Array]) -> Array:
    entry = find_published(name)
    return np.log(runs["loss"]) - np.log(entry.law.predict(entry.theta, runs))


def digitised_chinchilla() -> dict[str, Array]:
    table = read("chinchilla-epoch/svg_extracted_data.csv")
    kept = np.argsort(table["loss"])[:-5]  # the five highest losses are left out
    N, C = table["Model Size"][kept], table["Training FLOP"][kept]
    return {"n_params": N, "n_tokens": C / 6 / N, "loss": table["loss"][kept]}


@pytest.mark.parametrize(
    ("name", "objective"),
    [
        ("hoffmann-2022", "4.12e-03"),
        ("hoffmann-2022-tex", "1.23e-03"),
        ("besiroglu-2024", "1.023e-03"),
    ],
)
def test_objective_of_published_constants_on_the_digitised_runs(name: str, objective: str) -> None:
    digits = len(objective.split("e", maxsplit=1)[0]) - 2
    assert objective == f"{huber_sum(residuals_of(name, digitised_chinchilla())):.{digits}e}"


@pytest.mark.parametrize(
    ("name", "mean"), [("hoffmann-2022", -0.0167), ("hoffmann-2022-tex", 0.0030)]
)
def test_rounding_shifts_every_prediction(name: str, mean: float) -> None:
    assert mean == round(float(residuals_of(name, digitised_chinchilla()).mean()), 4)


def test_objective_of_the_repeated_law_on_its_182_runs() -> None:
    table = read("datablations/runs_N_D_U_loss_182.csv")
    runs = {
        "n_params": table["params"],
        "n_tokens": table["tokens"],
        "n_tokens_unique": table["unique_tokens"],
        "loss": table["loss"],
    }
    residuals = residuals_of("muennighoff-2023-repeated", runs)
    assert f"{huber_sum(residuals):.7f}" == "0.0158259"
