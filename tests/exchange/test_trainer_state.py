"""States of the Hugging Face Trainer that stopped early, and what it writes twice."""

import json
from pathlib import Path

from isoflop.exchange.import_runs import import_runs
from isoflop.runs.table import FINISHED


def write_state(folder: Path, steps: int, **more: object) -> Path:
    history: list[dict[str, object]] = []
    for step in range(100, steps + 1, 100):
        at = {"epoch": step / 1000, "step": step, "num_input_tokens_seen": 512 * step}
        history += [{"loss": 5.0, **at}, {"eval_loss": 5 - step / 1000, **at}]
    state = {"log_history": history, "global_step": steps, "num_input_tokens_seen": 512 * steps}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "trainer_state.json"
    path.write_text(json.dumps({**state, **more}), encoding="utf-8")
    return path


def test_a_run_short_of_max_steps_is_unfinished(tmp_path: Path) -> None:
    write_state(tmp_path / "a", 500, max_steps=1000)
    write_state(tmp_path / "b", 1000, max_steps=1000)
    imported = import_runs(tmp_path)
    assert imported.table.text("status") == ["unfinished", ""]
    assert "unfinished" not in FINISHED
    expected = "1 of 2 runs are `unfinished`: a is at step 500 of max_steps 1000"
    assert expected in imported.notes


def test_what_the_trainer_writes_again_as_it_was_is_not_refused(tmp_path: Path) -> None:
    imported = import_runs(write_state(tmp_path / "a", 500))
    assert imported.n_refused == 0
    assert imported.table.numbers("n_tokens").tolist() == [512 * 500]


def test_tokens_are_those_of_the_last_evaluation(tmp_path: Path) -> None:
    path = write_state(tmp_path / "a", 500, global_step=530, num_input_tokens_seen=512 * 530)
    table = import_runs(path).table
    assert table.numbers("steps").tolist() == [500]
    assert table.numbers("n_tokens").tolist() == [512 * 500]
