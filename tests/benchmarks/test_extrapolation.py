"""The extrapolation benchmark scores what it says, on curves made here."""

import csv
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).parents[2] / "benchmarks" / "extrapolation.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("extrapolation_benchmark", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_curves(path: Path, curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> Path:
    """Curves by model; the upper half of x held out, rows shuffled, the first one repeated."""
    rng = np.random.default_rng(0)
    rows = []
    for model, (x, loss) in curves.items():
        training = x <= x.max() / 2
        own = [["LM", "val_loss", model, *row] for row in zip(x, loss, 1 * training, strict=True)]
        rows += [own[k] for k in [0, *rng.permutation(len(own))]]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Domain", "Task", "Model", "Seen Examples", "Loss", "Training"])
        writer.writerows(rows)
    return path


def test_a_pure_power_law_is_foreseen_by_every_method_that_holds_it(benchmark, tmp_path, capsys):
    x = np.geomspace(1e6, 1e9, 25)
    path = write_curves(tmp_path / "curves.csv", {"power": (x, 20 / x**0.2)})
    assert benchmark.main(["--data", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (curve,) = document["curves"]
    assert (curve["domain"], curve["task"], curve["model"]) == ("LM", "val_loss", "power")
    assert curve["n_test"] == int(np.sum(x > x.max() / 2))
    assert curve["n_train"] == len(x) - curve["n_test"] + 1  # the repeated row
    for method in ("m1", "m2", "auto"):
        assert curve["rmsle"][method] < 1e-4, method
    assert curve["intervals"]["coverage"] == 1.0
    assert document["total"]["rmsle"]["m1"]["mean"] == curve["rmsle"]["m1"]


def test_a_curve_that_flattens_out_is_lost_by_the_pure_power_law_alone(benchmark, tmp_path, capsys):
    x = np.geomspace(1e6, 1e9, 25)
    path = write_curves(tmp_path / "curves.csv", {"floor": (x, 0.5 + 300 / x**0.5)})
    assert benchmark.main(["--data", str(path), "--json"]) == 0
    (curve,) = json.loads(capsys.readouterr().out)["curves"]
    assert curve["rmsle"]["m1"] > 0.01
    assert curve["rmsle"]["m2"] < 1e-6
    assert curve["rmsle"]["auto"] < 2e-3


def test_the_table_names_every_method(benchmark, tmp_path, capsys):
    x = np.geomspace(1e6, 1e9, 9)
    path = write_curves(tmp_path / "curves.csv", {"few": (x, 1 + 20 / x**0.3)})
    assert benchmark.main(["--data", str(path)]) == 0
    out = capsys.readouterr().out
    assert all(method in out for method in benchmark.METHODS)
    assert "90 % intervals: cover" in out


def test_absent_data_is_one_sentence(benchmark, tmp_path, capsys):
    assert benchmark.main(["--data", str(tmp_path / "none.csv")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "--data FILE" in captured.err
