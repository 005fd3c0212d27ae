"""lm-eval's results joined to runs by the model's name; what could be several is asked about."""

import json
from pathlib import Path
from typing import Any

import pytest

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.cli.main import run
from isoflop.exchange.attach_scores import attach_scores
from isoflop.runs.table import RunTable


def runs(*names: str) -> RunTable:
    return RunTable.from_records(
        [
            {"run": name, "n_params": 1e6 * (k + 1), "n_tokens": 2e7, "loss": 3.5 - 0.1 * k}
            for k, name in enumerate(names)
        ]
    )


def results(folder: Path, model: str, scores: dict[str, float], *, date: str = "1") -> None:
    """As lm-eval 0.4 writes them: one folder a model, one file a date."""
    document: dict[str, Any] = {
        "results": {
            task: {"alias": task, "acc,none": acc, "acc_stderr,none": 0.01}
            for task, acc in scores.items()
        },
        "n-shot": dict.fromkeys(scores, 0),
        "n-samples": {task: {"original": 500, "effective": 500} for task in scores},
        "config": {"model": "hf", "model_args": model},
    }
    place = folder / model.replace("/", "__").replace(",", "_")
    place.mkdir(parents=True, exist_ok=True)
    (place / f"results_2026-01-0{date}.json").write_text(json.dumps(document))


def test_scores_join_the_runs_of_their_names(tmp_path: Path) -> None:
    results(tmp_path, "pretrained=/ckpts/d16,dtype=float32", {"arc": 0.30, "piqa": 0.55})
    results(tmp_path, "pretrained=/ckpts/D20/", {"arc": 0.35, "piqa": 0.60})
    results(tmp_path, "pretrained=other", {"arc": 0.9, "piqa": 0.9})
    attached = attach_scores(runs("d16", "d20", "d24"), tmp_path, task="arc")
    table = attached.table
    assert table.names() == ["d16", "d20", "d24"]
    assert table.numbers("accuracy").tolist()[:2] == [0.30, 0.35]
    assert table.numbers("n_examples").tolist()[:2] == [500, 500]
    assert table.text("piqa/acc") == ["0.55", "0.6", ""]
    assert table.text("arc/acc_stderr") == ["0.01", "0.01", ""]
    assert table.numbers("loss").tolist() == [3.5, 3.4, 3.3]
    assert attached.unmatched == ("pretrained=other",)
    assert attached.without == ("d24",)
    assert str(attached).splitlines()[0] == "Attached 2 tasks to 2 of 3 runs"


@pytest.mark.parametrize("stated", ["pretrained=team/d16,revision=s9", {"revision": "s9"}, None])
def test_revisions_of_one_model_are_told_apart(stated: Any, tmp_path: Path) -> None:
    """As 0.4.13 writes them: a model's name, and its revision elsewhere."""
    for revision, acc in (("s9", 0.3), ("main", 0.4)):
        results(tmp_path / revision, "team/d16", {"arc": acc})
        path = next((tmp_path / revision).rglob("results*.json"))
        document = json.loads(path.read_text()) | {"model_name": "team/d16"}
        document["config"] = {"model_args": stated if revision == "s9" else {"dtype": "float"}}
        document["config"] |= {"model_revision": revision if stated is None else "main"}
        path.write_text(json.dumps(document))
    match = {"team/d16": "d16", "team/d16@s9": "d16-s9"}
    with pytest.raises(InputError, match=r"could be 2 runs|could both be"):
        attach_scores(runs("d16", "d16-s9"), tmp_path)
    table = attach_scores(runs("d16", "d16-s9"), tmp_path, match=match).table
    assert table.numbers("accuracy").tolist() == [0.4, 0.3]


def test_of_several_tasks_none_is_the_accuracy_until_one_is_named(tmp_path: Path) -> None:
    results(tmp_path, "pretrained=d16", {"arc": 0.3, "piqa": 0.5})
    assert "accuracy" not in attach_scores(runs("d16"), tmp_path).table
    with pytest.raises(UnknownNameError, match="unknown task 'arcc'; did you mean arc"):
        attach_scores(runs("d16"), tmp_path, task="arcc")


def test_a_model_that_could_be_two_runs_is_asked_about(tmp_path: Path) -> None:
    results(tmp_path, "pretrained=/a/d16,revision=s9", {"arc": 0.3})
    two = runs("d16", "d16-s9", "d20")
    with pytest.raises(InputError, match=r"could be 2 runs: d16, d16-s9; say which with --match"):
        attach_scores(two, tmp_path)
    model = "pretrained=/a/d16,revision=s9"
    for told in (model, "d16", "/a/d16"):
        attached = attach_scores(two, tmp_path, match={told: "d16-s9"})
        assert attached.matched == {model: "d16-s9"}


def test_two_models_that_would_be_one_run_are_asked_about(tmp_path: Path) -> None:
    results(tmp_path, "pretrained=/old/d16", {"arc": 0.3})
    results(tmp_path, "pretrained=/new/d16", {"arc": 0.4})
    with pytest.raises(InputError, match="could both be the run 'd16'"):
        attach_scores(runs("d16", "d20"), tmp_path)
    told = attach_scores(runs("d16", "d20"), tmp_path, match={"/new/d16": "d16", "/old/d16": "d20"})
    assert told.table.numbers("accuracy").tolist() == [0.4, 0.3]


def test_two_results_that_differ_are_asked_about_and_equal_ones_are_one(tmp_path: Path) -> None:
    results(tmp_path, "pretrained=d16", {"arc": 0.3}, date="1")
    results(tmp_path, "pretrained=d16", {"arc": 0.3}, date="2")
    assert attach_scores(runs("d16"), tmp_path).table.numbers("accuracy").tolist() == [0.3]
    results(tmp_path, "pretrained=d16", {"arc": 0.4}, date="3")
    with pytest.raises(
        InputError, match=r"two results of run 'd16' differ in arc/acc: 0.3 and 0.4"
    ):
        attach_scores(runs("d16"), tmp_path)


def test_nothing_nearer_to_a_guess_is_tried(tmp_path: Path) -> None:
    results(tmp_path, "pretrained=/ckpts/d16-final", {"arc": 0.3})
    with pytest.raises(InputError, match=r"none of 1 models is a run of memory: .*d16-final"):
        attach_scores(runs("d16", "d20"), tmp_path)
    with pytest.raises(UnknownNameError, match="unknown run 'd61'; did you mean d16"):
        attach_scores(runs("d16"), tmp_path, match={"d16-final": "d61"})
    with pytest.raises(InputError, match="2 rows are called 'd16'"):
        attach_scores(runs("d16", "d16"), tmp_path)
    with pytest.raises(InputError, match="without names"):
        attach_scores(RunTable.from_records([{"loss": 3.0}]), tmp_path)


def test_a_column_is_not_overwritten(tmp_path: Path) -> None:
    results(tmp_path, "pretrained=d16", {"arc": 0.3})
    table = RunTable.from_records([{"run": "d16", "loss": 3.0, "accuracy": 0.2}])
    with pytest.raises(InputError, match="has a column 'accuracy' already"):
        attach_scores(table, tmp_path)


def test_the_command_writes_a_table_that_the_checks_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [f"d{k}" for k in range(9)]
    Path("runs.csv").write_text(
        "run,n_params,n_tokens,loss\n"
        + "".join(
            f"{n},{(k + 1) * 10**7},{(k + 1) * 10**9},{4 - k / 10}\n" for k, n in enumerate(names)
        )
    )
    for k, name in enumerate(names):
        results(tmp_path / "out", f"pretrained=/ckpts/{name}", {"arc": max(0.0, (k - 4) / 10)})
    line = ["import", "out", "--attach", "runs.csv", "-o", "scored.csv"]
    assert run(line) == 0
    assert "Attached 1 tasks to 9 of 9 runs" in capsys.readouterr().out
    assert run([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["task"] == "arc"
    assert run(["check", "scored.csv", "--json"]) == 1  # sizes and data on one ray, too
    found = {each["code"]: each for each in json.loads(capsys.readouterr().out)["findings"]}
    assert "5 of 9 accuracies" in found["accuracy-at-floor"]["evidence"]
    assert "of n = 500 items" in found["accuracy-at-floor"]["evidence"]
    assert run(["import", "out", "--task", "arc"]) == 2
    assert run([*line, "--match", "nonsense"]) == 2
