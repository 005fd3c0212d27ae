"""What keeps a ladder from being trained is told at once, before a folder is made."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from faults.ladders import small_ladder

from isoflop.base.errors import SpecError
from isoflop.lab.engines.probe import Probe
from isoflop.lab.price import memory
from isoflop.lab.price.price import price_ladder
from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import prepare_study, run_ladder
from isoflop.runs.ladders.ladder import Ladder

PROBE = Probe("cpu", "float32", 1e11, 1)


@pytest.fixture
def impossible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    """Too little text, a test set that is shorter than a context, no weights to start from."""
    monkeypatch.setattr(memory, "available_bytes", lambda device: 2.0**20)
    (tmp_path / "few.txt").write_text(
        "\n\n\n".join(f"a speech of some words, {k}" for k in range(30))
    )
    (tmp_path / "none.txt").write_text("a\n\n\nb")
    ladder = small_ladder(4, seeds=1, budgets=(8192, 16384))
    starts = [replace(rung, start=f"gone/runs/{rung.name}") for rung in ladder.rungs]
    evaluation = replace(ladder.evaluation, test_sets=(str(tmp_path / "none.txt"),))
    few = str(tmp_path / "few.txt")
    return replace(ladder, corpus=few, rungs=tuple(starts), evaluation=evaluation)


REASONS = ("training tokens for runs of up to 16,384", "test set ", "rung r0-d4: start gone/runs/",
           "rung r1-d6: start gone/runs/r1-d6 is no run", "rungs: r1-d6 takes about")  # fmt: skip


@pytest.mark.parametrize(
    ("command", "n_reasons"),
    [
        (lambda ladder, path: price_ladder(ladder, probe=PROBE), 5),
        (lambda ladder, path: price_ladder(ladder), 5),
        (lambda ladder, path: run_ladder(ladder, path, progress=Silent()), 5),
        (prepare_study, 4),  # memory is another machine's
    ],
)
def test_text_test_sets_starts_and_memory_are_told_together(
    impossible: Ladder, tmp_path: Path, command: Callable[[Ladder, Path], object], n_reasons: int
) -> None:
    with pytest.raises(SpecError) as caught:
        command(impossible, tmp_path / "study")
    told = caught.value.mistakes
    assert len(told) == n_reasons
    for reason, sentence in zip(REASONS, told, strict=False):
        assert reason in sentence
    assert str(caught.value).startswith(f"ladder faults: {n_reasons} mistakes\n")
    assert not (tmp_path / "study").exists()
