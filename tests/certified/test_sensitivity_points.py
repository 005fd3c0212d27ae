"""Loss function × outliers on the digitised Chinchilla points: the known exponents and ratios.

Data of Besiroglu et al. 2024, not part of this repository; see test_chinchilla_points.py.
"""

import json
import os
from pathlib import Path

import pytest

from isoflop.cli.main import run

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
POINTS = SHARED / "chinchilla-epoch" / "svg_extracted_data.csv"

pytestmark = pytest.mark.skipif(
    not POINTS.exists(),
    reason="svg_extracted_data.csv of epoch-research/analyzing-chinchilla is not here; "
    "point ISOFLOP_SHARED_DATA at the folder that holds chinchilla-epoch/",
)

# (loss function, highest losses dropped): a, D/N at 5.76e23; trust sheet of this project, item 5.
KNOWN = {
    ("Huber 1e-3", 0): (0.5646, 6.8),
    ("squares of log loss", 0): (0.6219, 2.0),
    ("squares of loss", 0): (0.6422, None),
    ("Huber 1e-3", 5): (0.5139, 17.9),
    ("squares of log loss", 5): (0.5298, 14.3),
    ("squares of loss", 5): (0.5446, None),
}


@pytest.fixture(scope="module")
def document() -> dict:
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert run(["sensitivity", str(POINTS), "--derive", "n_tokens", "--flops", "5.76e23",
                    "--bootstrap", "200", "--json"]) == 0  # fmt: skip
    return json.loads(out.getvalue())


@pytest.mark.parametrize("cell", KNOWN)
def test_a_cell_of_the_table(document: dict, cell: tuple[str, int]) -> None:
    (found,) = [c for c in document["cells"] if (c["loss"], c["dropped"]) == cell]
    exponent, ratio = KNOWN[cell]
    assert round(found["a"], 4) == exponent
    if ratio is not None:
        assert round(found["tokens_per_param"], 1) == ratio


def test_five_of_245_points_move_tokens_per_parameter_by_2_6(document: dict) -> None:
    (finding,) = [f for f in document["findings"] if f["code"] == "answer-depends-on-the-loss"]
    assert "5 of 245 runs move tokens_per_param by 2.6× under Huber 1e-3" in finding["evidence"]


def test_every_run_was_left_out_in_turn(document: dict) -> None:
    assert len(document["dropped_runs"]) == 245
    shifts = [run["shift"] for run in document["dropped_runs"]]
    assert shifts == sorted(shifts, reverse=True)
