"""`isoflop ladder` on files that are damaged, wrong or named in either way."""

import dataclasses
import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import isoflop as isoflop_package
from isoflop.accounting.architecture import Architecture
from isoflop.cli.ladder_budget import limits_of
from isoflop.runs.designs.examples import EXAMPLES
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.runs.ladders.toml import print_ladder
from isoflop.store.manifest import commit_run, describe_run
from isoflop.store.spent import Limits, write_limits
from isoflop.store.study import Study

SHAPE = Architecture(n_layer=1, d_model=8, n_head=1, n_ctx=32, n_vocab=256, tied=False)
LADDER = Ladder("demo", "sotu", "bytes", (Rung("d8", SHAPE, 1, (8192,)),))


def test_random_bytes_in_a_manifest_are_one_line(isoflop) -> None:
    Study.create("study", LADDER)
    path = Path("study/runs/d8-s0-t8192/run.json")
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(range(255, 100, -1)))
    result = isoflop("ladder", "status", "study")
    assert result.code == 2
    assert result.error == (
        f"{path}: damaged (byte 0 is not UTF-8); "
        "delete it and resume the study to train the run again"
    )


@pytest.mark.parametrize("command", ["status", "resume"])
def test_a_study_is_named_by_place_or_by_option_and_once(isoflop, command: str) -> None:
    by_place = isoflop("ladder", command, "none")
    by_option = isoflop("ladder", command, "-o", "none")
    assert (by_place.code, by_place.error) == (by_option.code, by_option.error)
    assert by_place.error == "none is not a study: it has no ladder.toml"
    Path("a").mkdir()
    for arguments in ([], ["a", "-o", "b"]):
        result = isoflop("ladder", command, *arguments)
        assert result.code == 2
        assert result.error == (
            f"name one study: isoflop ladder {command} STUDY, or {command} SPEC.toml -o STUDY"
        )


def test_a_ladder_that_plan_refuses_run_refuses_and_makes_no_folder(isoflop) -> None:
    pytest.importorskip("torch")
    text = print_ladder(LADDER).replace('"sotu"', '"sotuu"')
    Path("ladder.toml").write_text(text)
    planned = isoflop("ladder", "plan", "ladder.toml")
    ran = isoflop("ladder", "run", "ladder.toml", "-o", "study")
    assert (planned.code, planned.error) == (ran.code, ran.error)
    assert planned.error == (
        "ladder.toml: corpus is 'sotuu', which is no registered corpus, file or folder; "
        "did you mean sotu?"
    )
    assert not Path("study").exists()


@pytest.mark.parametrize("command", ["plan", "run", "commands", "bracket"])
def test_mistakes_stand_a_line_each_corpora_among_them(isoflop, command: str) -> None:
    Path("mine.txt").write_text("mine")
    text = print_ladder(LADDER).replace('"sotu"', '"sotuu"').replace("n_ctx = 32", "n_ctx = 65")
    sets = '[evaluation]\ntest_sets = ["mine.txt", "yours\\u0000.txt"]\n'
    Path("ladder.toml").write_text(text.replace("[evaluation]\n", sets))
    found = isoflop("ladder", command, "ladder.toml", *([] if command == "plan" else ["-o", "s"]))
    assert (found.code, found.out) == (2, "")
    first, corpus, test_set, context = found.err.splitlines()
    assert first == "error: ladder.toml: 3 mistakes"
    assert corpus.startswith("  corpus is 'sotuu', which is no registered corpus, file or folder")
    assert test_set.startswith("  evaluation.test_sets[1] is 'yours")
    assert context == ("  rungs[0].n_ctx is 65, which does not divide recipe.batch_tokens = 256")
    assert not Path("s").exists()
    shown = isoflop("ladder", "show", "ladder.toml")  # the corpus may be another machine's
    assert shown.error == f"ladder.toml: {context.strip()}"


def test_a_plan_says_that_the_warmup_is_too_long(isoflop) -> None:
    pytest.importorskip("torch")
    text = print_ladder(LADDER)
    Path("ladder.toml").write_text(text.replace("warmup_fraction = 0.05", "warmup_fraction = 0.5"))
    planned = isoflop("ladder", "plan", "ladder.toml", "--json")
    assert planned.code == 0
    assert "warning: d8: 16 of 32 steps are warm-up (50 %)" in planned.err
    assert [f["code"] for f in planned.document["findings"]] == ["long-warmup"]
    Path("ladder.toml").write_text(text)
    assert "warm-up" not in isoflop("ladder", "plan", "ladder.toml").err


def test_a_plan_writes_durations_as_progress_does(isoflop) -> None:
    pytest.importorskip("torch")
    Path("ladder.toml").write_text(print_ladder(LADDER))
    text = isoflop("ladder", "plan", "ladder.toml").out
    assert "minutes" not in text
    header, row, total = text.splitlines()[:3]
    assert re.split(r"  +", header)[6] == "time"
    shown = re.split(r"  +", row)[6]
    assert re.fullmatch(r"\d+ s|\d+:\d\d( h)?", shown)
    assert re.search(r", about (\d+ s|\d+:\d\d( h)?) on \d+ worker", total)


def test_a_table_of_several_rates_keeps_the_best_when_asked(isoflop) -> None:
    rung = Rung("d8", SHAPE, 1, (8192,), lrs=(0.001, 0.002, 0.004))
    ladder = dataclasses.replace(LADDER, rungs=(rung,))
    study = Study.create("study", ladder)
    for run, loss in zip(ladder.runs(), (2.3, 2.1, 2.2), strict=True):
        row = {**describe_run(run, ladder), "loss": loss, "loss_unit": "nats/byte"}
        commit_run(study.run_folder(run.id), row, [], None)
    every = isoflop("ladder", "table", "study", "-o", "runs.csv")
    assert "note: several learning rates at 1 budget; --best-lr" in every.err
    assert len(Path("runs.csv").read_text().splitlines()) == 4
    best = isoflop("ladder", "table", "study", "--best-lr", "-o", "best.csv")
    assert best.code == 0
    assert "1 of 1 cell of one shape and one number of tokens hold several" in best.err
    assert "d8-s0-t8192-lr0.002" in Path("best.csv").read_text().splitlines()[1]
    wrong = isoflop("ladder", "table", "study", "--best-lr", "--of", "points", "-o", "p.csv")
    assert (wrong.code, wrong.error) == (2, "--best-lr compares finished runs: leave out --of")


def test_no_limit_and_a_limit_contradict_each_other(isoflop) -> None:
    Path("ladder.toml").write_text(print_ladder(LADDER))
    both = ["--unlimited", "--max-flops", "1e12", "--silence", "9"]
    for command in (["run", "ladder.toml", "-o"], ["resume"], ["commands", "ladder.toml", "-o"]):
        result = isoflop("ladder", *command, "s", *both)
        assert (result.code, result.error) == (
            2,
            "--unlimited lifts every limit, --max-flops and --silence set some: give either; a "
            "limit alone replaces its own of before, the others stay",
        )
    result = isoflop("ladder", "resume", "s", "--unlimited", "--deadline", "60")
    assert result.error == (
        "--unlimited lifts every limit, --deadline sets one: give either; a limit alone "
        "replaces its own of before, the others stay"
    )
    assert not Path("s").exists()


def test_a_price_without_a_limit_may_stand_beside_unlimited(isoflop) -> None:
    found = isoflop("ladder", "resume", "s", "--unlimited", "--dollars-per-hour", "3")
    assert found.error == "s is not a study: it has no ladder.toml"


def test_a_limit_alone_replaces_its_own_of_before(tmp_path: Path) -> None:
    """What the refusal of --unlimited beside a limit promises."""
    write_limits(tmp_path, Limits(flops=1e12, seconds=60.0))
    assert limits_of(tmp_path, {"seconds": 5.0}, unlimited=False) == Limits(1e12, 5.0)


def test_a_limit_names_an_amount_of_its_kind(isoflop) -> None:
    result = isoflop("ladder", "run", "l.toml", "-o", "s", "--max-flops", "5x")
    assert result.error.endswith("expected a number such as 1e15, found '5x'")
    result = isoflop("ladder", "run", "l.toml", "-o", "s", "--max-seconds", "an hour")
    assert result.error.endswith("expected a number such as 3600, found 'an hour'")


def test_a_folder_is_no_ladder_file(isoflop) -> None:
    Study.create("study", LADDER)
    Path("other").mkdir()
    assert isoflop("ladder", "plan", "other").error == "other is a folder, expected a ladder file"
    assert isoflop("ladder", "show", "study").error == (
        "study is a folder, expected a ladder file; did you mean study/ladder.toml?"
    )


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "isoflop", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"isoflop {isoflop_package.__version__}\n"


def test_a_utilisation_without_its_machine_is_refused(isoflop) -> None:
    Path("l.toml").write_text(EXAMPLES["grid"])
    for option in (("--mfu", "0.4"), ("--watts", "700")):
        refused = isoflop("ladder", "plan", "l.toml", *option)
        assert refused.code == 2
        assert "give --accelerator (isoflop cost --list shows them) or its --peak" in refused.error
    assert "dollars" in isoflop("ladder", "plan", "l.toml", "--dollars-per-hour", "3").out


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "Permission denied; check its rights, or name another place"),
        (errno.EROFS, "Read-only file system; name a place that can be written"),
        (errno.ENOSPC, "No space left on device; make room, or name another place"),
    ],
)
def test_what_the_system_refuses_is_told_with_what_to_do(
    isoflop, monkeypatch, number: int, remedy: str
) -> None:
    def refuse(*given: object, **named: object) -> None:
        raise OSError(number, os.strerror(number), "ro/s")

    monkeypatch.setattr("isoflop.store.study.write_atomic", refuse)
    Path("l.toml").write_text(EXAMPLES["grid"])
    refused = isoflop("ladder", "run", "l.toml", "-o", "ro/s")
    assert (refused.code, refused.error) == (2, f"ro/s: {remedy}")
