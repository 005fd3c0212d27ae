"""Options of `isoflop fit` on scales and intervals."""

import json
from pathlib import Path

import pytest


def test_profiles_are_on_the_card_in_json_and_in_the_saved_law(isoflop, runs: str) -> None:
    result = isoflop("fit", runs, "--interval", "profile", "--bootstrap", "50", "-o", "law.json")
    assert result.code == 0
    assert "intervals: profile, as asked, of each constant and of a" in result.out
    document = isoflop("fit", runs, "--interval", "profile", "--bootstrap", "50", "--json").document
    assert set(document["profiles"]) == {"E", "A", "B", "alpha", "beta", "a", "b"}
    assert document["params"]["alpha"] == document["profiles"]["alpha"]
    assert document["derived"]["a"] == document["profiles"]["a"]
    saved = json.loads(Path("law.json").read_text())
    assert saved["profiles"] == document["profiles"]
    assert isoflop("plan", "--law", "law.json", "--flops", "1e23").code == 0


@pytest.mark.parametrize("scale", ["log", "linear", "log1p"])
def test_every_scale_of_residuals_finds_the_planted_surface(isoflop, runs: str, scale: str) -> None:
    document = isoflop("fit", runs, "--residuals", scale, "--bootstrap", "0", "--json").document
    assert document["loss"]["scale"] == scale
    assert document["derived"]["a"]["value"] == pytest.approx(0.3658 / (0.3658 + 0.3478), abs=0.06)


def test_shares_keep_their_own_scale(isoflop) -> None:
    rows = [f"{loss},{1 - loss / 4}" for loss in (3.0, 2.8, 2.5, 2.2, 2.0, 1.8, 1.5)]
    Path("shares.csv").write_text("loss,accuracy\n" + "\n".join(rows) + "\n")
    arguments = ["fit", "shares.csv", "--law", "accuracy-exponential", "--residuals", "log1p"]
    assert isoflop(*arguments).error.startswith("accuracy-exponential predicts accuracy, which is")


def test_kaplans_law_foresees_unasked_as_chinchillas_does(isoflop, runs: str) -> None:
    out = isoflop("fit", runs, "--law", "kaplan-nd", "--bootstrap", "40").out
    assert "a single run, noise" in out
    assert "misfit not asked for" not in out
