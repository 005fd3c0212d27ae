"""Intervals of single IsoFLOP optima: they hold the parabola's own minimum, and are saved."""

import numpy as np
import pytest
from planted import SURFACES, isoflop_design, make_table

from isoflop.fitting.frontiers import isoflop
from isoflop.fitting.frontiers.isoflop import fit_isoflop
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.saved import read_fit, write_fit

EPOCH = SURFACES["epoch"]
COLUMNS = ("n_params", "n_tokens", "loss")


def optima(seed: int, noise: float = 0.003, n_resamples: int = 200):
    table = make_table(EPOCH, *isoflop_design(EPOCH, points=7), noise=noise, seed=seed)
    return fit_isoflop(table, FitSpec(n_resamples=n_resamples, seed=seed)).points


def test_intervals_hold_the_minimum_without_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isoflop, "estimate_bias", lambda *_, **__: None)
    true, inside = optima(0, noise=0.0), dict.fromkeys(COLUMNS, 0.0)
    studies = [found for found in map(optima, range(40)) if len(found) == len(true)]
    for name in COLUMNS:
        held = [
            (getattr(s, f"{name}_ends")[:, 0] <= getattr(true, name))
            & (getattr(true, name) <= getattr(s, f"{name}_ends")[:, 1])
            for s in studies
        ]
        inside[name] = float(np.mean(held))
    assert all(0.85 <= share < 1 for share in inside.values()), inside


def test_they_are_saved_and_printed(tmp_path) -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, points=7), noise=0.003, seed=1)
    frontier = fit_isoflop(table, FitSpec(n_resamples=50))
    again = read_fit(str(write_fit(frontier, tmp_path / "frontier.json")))
    assert again.points.n_params_ends.tolist() == frontier.points.n_params_ends.tolist()
    assert str(again) == str(frontier)
    assert "optima (90 % intervals of each parabola)" in str(frontier)


def test_without_draws_there_are_none() -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, points=7), noise=0.003, seed=1)
    frontier = fit_isoflop(table, FitSpec(n_resamples=0))
    assert frontier.points.n_params_ends is None
    assert "optima (no intervals: none asked for)" in str(frontier)
    assert "n_params_ends" not in frontier.to_dict()["points"]
