"""Ladders trained by every schedule and optimizer, in seconds."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.cli.main import app  # noqa: E402
from isoflop.lab import bracket as bracket_module  # noqa: E402
from isoflop.lab.bracket import bracket_rates  # noqa: E402
from isoflop.lab.data.prepare import open_data, prepare_data  # noqa: E402
from isoflop.lab.engines.placement import Placement  # noqa: E402
from isoflop.lab.engines.probe import Probe  # noqa: E402
from isoflop.lab.price.cost import rung_steps  # noqa: E402
from isoflop.lab.price.price import price_ladder  # noqa: E402
from isoflop.lab.train_rung import train_rung  # noqa: E402
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung  # noqa: E402
from isoflop.runs.ladders.toml import print_ladder, read_ladder  # noqa: E402
from isoflop.store.study import Study  # noqa: E402

SHAPE = Architecture(
    n_layer=1, d_model=8, n_head=1, n_ctx=16, n_vocab=256, tied=False, positions="rotary"
)
BUDGETS = (8192, 16384)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    path.write_text("".join(f"the square of {i} is {i * i}\n" for i in range(2000)))
    return path


def make_ladder(corpus: Path, rung: Rung | None = None, **recipe) -> Ladder:
    chosen = Recipe(**{"batch_tokens": 128, "lr": 0.01, "precision": "float32", **recipe})
    rung = rung or Rung("d8", SHAPE, 2, BUDGETS)
    return Ladder(
        "tiny", str(corpus), "bytes", (rung,), chosen, Evaluation(tokens=1024, curve_tokens=256)
    )


def train(ladder: Ladder, path: Path) -> tuple[Study, list[dict]]:
    """Train in this process: no worker to start."""
    study, events = Study.create(path, ladder), []
    prepare_data(ladder, study.path / "data")
    data = open_data(ladder, study.path / "data")
    study.write_settings({"device": "cpu", "precision": "float32", "torch": torch.__version__})
    for rung in ladder.rungs:
        train_rung(study, rung, data, Placement("cpu", "float32"), events.append)
    return study, events


def losses(study: Study) -> dict[str, float]:
    return {row["id"]: row["loss"] for row in study.status()}


def test_a_matched_cosine_trains_every_budget_from_its_own_start(corpus, tmp_path) -> None:
    recipe = {"schedule": "cosine", "lr_final": 0.1, "warmup_rule": "params"}
    both, events = train(make_ladder(corpus, **recipe), tmp_path / "both")
    assert {path.parent.name for path in both.path.glob("rungs/d8/*/journal.jsonl")} == {
        "t8192",
        "t16384",
    }
    alone = make_ladder(corpus, Rung("d8", SHAPE, 2, BUDGETS[1:]), **recipe)
    single, _ = train(alone, tmp_path / "alone")
    for run, loss in losses(single).items():
        assert losses(both)[run] == loss
    taken = sum(event["steps"] for event in events if event["event"] == "steps")
    assert taken == rung_steps(both.ladder.rungs[0], both.ladder) == (8192 + 16384) / 128
    price = price_ladder(both.ladder, probe=Probe("cpu", "float32", 1e11, 1))
    assert [(rung.trunks, rung.n_runs) for rung in price.rungs] == [(4, 4)]
    assert {row["schedule"] for row in both.manifests().values()} == {"cosine of the run's length"}


def test_runs_of_a_fixed_cosine_are_points_of_one_trunk_and_say_how_long_it_was(
    corpus, tmp_path
) -> None:
    recipe = {"schedule": "cosine-fixed", "horizon_steps": 400, "warmup_rule": "steps"}
    study, events = train(make_ladder(corpus, **recipe, warmup_steps=30), tmp_path / "s")
    short, long = study.curves()[0], study.curves()[2]
    shared = len(short.tokens)
    assert short.loss.tolist() == long.loss[:shared].tolist()
    assert not long.cooled.any()
    assert long.tokens[-1] == 16384
    assert {row["schedule_tokens"] for row in study.manifests().values()} == {400 * 128}
    assert sum(event["steps"] for event in events if event["event"] == "steps") == 128


def test_a_cosine_killed_between_its_trunks_resumes_to_the_same_bytes(corpus, tmp_path) -> None:
    recipe = {"schedule": "cosine", "lr_final": 0.1}
    study, _ = train(make_ladder(corpus, **recipe), tmp_path / "s")
    files = [*study.path.rglob("journal.jsonl"), *study.path.rglob("run.json")]
    before = {path: path.read_bytes() for path in files}
    for path in study.path.rglob("t16384/*"):
        path.unlink()
    (study.run_folder("d8-s0-t16384") / "run.json").unlink()
    assert not study.finished()
    train(study.ladder, study.path)
    assert {path: path.read_bytes() for path in files} == before


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_packed_bracket_gives_the_losses_of_ladders_of_one_rate(
    corpus, tmp_path, optimizer
) -> None:
    rates = (0.005, 0.01, 0.02)
    rung = Rung("d8", SHAPE, 1, BUDGETS[:1], lrs=rates)
    packed, _ = train(make_ladder(corpus, rung, optimizer=optimizer), tmp_path / "packed")
    rows = {row["lr"]: row["loss"] for row in packed.status()}
    for rate in rates:
        alone = make_ladder(
            corpus, replace(rung, lrs=()), lr=rate, optimizer=optimizer, muon_lr=0.02 * rate / 0.005
        )
        (row,) = train(alone, tmp_path / f"{rate}")[0].status()
        assert row["lr"] == rate
        assert rows[rate] == pytest.approx(row["loss"], rel=1e-3)
    assert len(set(rows.values())) == 3


def test_a_rate_that_diverges_is_marked_and_the_others_go_on(corpus, tmp_path) -> None:
    """Normalised layers keep its losses finite, at 40 to 70 nats: worse than any guess."""
    rung = Rung("d8", SHAPE, 2, BUDGETS, lrs=(0.001, 0.89))
    study, _ = train(make_ladder(corpus, rung, base_width=1024), tmp_path / "s")
    states = {(row["lr"], row["state"]) for row in study.status()}
    assert states == {(0.001, "finished"), (0.89, "diverged")}
    assert study.finished()
    kept = study.run_table()
    assert max(kept.numbers("loss")[kept.numbers("lr") < 0.01]) < 2


def test_bracket_finds_the_rate_writes_the_tuned_ladder_and_tells_the_edge(
    corpus, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(
        bracket_module, "run_ladder", lambda ladder, path, **_: train(ladder, Path(path))[0]
    )
    low = Rung("low", SHAPE, 1, BUDGETS[:1], lrs=(0.0002,))
    ladder = replace(
        make_ladder(corpus), rungs=(Rung("d8", SHAPE, 2, BUDGETS[:1], lrs=(0.05,)), low)
    )
    found = bracket_rates(ladder, tmp_path / "s", n_rates=5, ratio=3)
    d8, edge = found.brackets
    assert (d8.rung, d8.place) == ("d8", "inside")
    assert d8.lrs[0] < d8.low < d8.lr < d8.high < d8.lrs[-1]
    assert [(f.code, f.runs) for f in found.findings] == [("lr-at-bracket-edge", ("low",))]
    assert edge.lr == edge.lrs[-1]
    assert found.ladder.rungs[0].lrs == (float(f"{d8.lr:.4g}"),)
    (tmp_path / "ladder.toml").write_text(print_ladder(ladder))
    arguments = ["ladder", "bracket", str(tmp_path / "ladder.toml"), "-o", str(tmp_path / "s")]
    arguments += ["--ratio", "3", "--tuned", str(tmp_path / "tuned.toml"), "--json"]
    app.main(arguments, standalone_mode=False)
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["brackets"][0]["lr"] == d8.lr
    assert "under-tuned" in printed.err
    assert read_ladder(tmp_path / "tuned.toml") == found.ladder
