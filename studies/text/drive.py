"""Train a part's ladders and measure it; what is finished is not done again."""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import isoflop
from isoflop.base.atomic import write_atomic
from isoflop.lab.engines.probe import Probe
from isoflop.runs.brackets.design import bracket_ladder
from isoflop.runs.ladders.ladder import Ladder
from isoflop.runs.ladders.toml import print_ladder
from studies.text.ladders import Training
from studies.text.parts import PARTS, Part
from studies.text.sizes import Size
from studies.text.texts import write_stdlib, write_unique


@dataclass(frozen=True)
class Step:
    """A training with its price.

    Args:
        part: of the study.
        training: what is trained.
        runs: finished runs it will give, those of its bracket too.
        flops: training FLOPs of both.
        seconds: predicted wall-clock of both.
        done: whether it is finished.
    """

    part: str
    training: Training
    runs: int
    flops: float
    seconds: float
    done: bool


def study_folder(out: Path, training: Training) -> Path:
    """Return the folder of a training's study."""
    return out / "studies" / training.name


def write_texts(parts: tuple[Part, ...], size: Size, out: Path) -> None:
    """Write the texts that are made from others, where a part needs them."""
    if size.second == "stdlib":
        write_stdlib(out)
    if any(part.name == "contradiction" for part in parts):
        for unique in size.unique:
            write_unique(size.corpus, unique, out)


def price_parts(parts: tuple[Part, ...], size: Size, out: Path, probe: Probe) -> list[Step]:
    """Price every training before anything is trained."""
    return [
        _price(part.name, training, out, probe)
        for part in parts
        for training in part.ladders(size, out)
    ]


def _price(part: str, training: Training, out: Path, probe: Probe) -> Step:
    ladders = [_from_new_weights(training.ladder)]
    if training.rates:
        ladders.append(bracket_ladder(training.ladder, n_rates=training.rates))
    prices = [isoflop.price_ladder(ladder, probe=probe) for ladder in ladders]
    folder = study_folder(out, training)
    done = (folder / "ladder.toml").exists() and isoflop.Study.open(folder).finished()
    return Step(
        part,
        training,
        sum(price.n_runs for price in prices),
        sum(price.flops for price in prices),
        sum(price.seconds for price in prices),
        done,
    )


def _from_new_weights(ladder: Ladder) -> Ladder:
    """Return the ladder as it costs: weights to begin with cost nothing and need not exist yet."""
    return replace(ladder, rungs=tuple(replace(rung, start="") for rung in ladder.rungs))


def train(training: Training, out: Path, workers: int | None = None) -> Path:
    """Bracket the rates, write the tuned ladder, train it; return the study's folder."""
    folder = study_folder(out, training)
    ladder = training.ladder
    if training.rates:
        ladder = _tuned(training, out, workers)
    write_atomic(out / "ladders" / f"{training.name}.toml", print_ladder(ladder))
    isoflop.run_ladder(ladder, folder, workers=workers)
    return folder


def _tuned(training: Training, out: Path, workers: int | None) -> Ladder:
    found = isoflop.bracket_rates(
        training.ladder, out / "rates" / training.name, n_rates=training.rates, workers=workers
    )
    document = json.dumps(found.to_dict(), indent=1)
    write_atomic(out / "rates" / f"{training.name}.json", document + "\n")
    return found.ladder


def measure(part: Part, size: Size, out: Path) -> dict[str, Any] | None:
    """Measure a part whose studies are all over; None while one is not."""
    by_name = {each.name: each for each in PARTS}
    makers = [*(by_name[name] for name in part.reads), part]
    folders = [study_folder(out, t) for each in makers for t in each.ladders(size, out)]
    for folder in folders:
        if not (folder / "ladder.toml").exists() or not isoflop.Study.open(folder).finished():
            return None
    result = {"title": part.title, "size": size.name, **part.measure(folders).to_dict()}
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    write_atomic(out / "results" / f"{part.name}.json", text)
    return json.loads(text)


def run_steps(steps: list[Step], out: Path, hours: float | None) -> list[Step]:
    """Train what is not done and fits into the hours; return what is left."""
    began, left = time.monotonic(), []
    for step in steps:
        if step.done:
            continue
        spent = time.monotonic() - began
        if hours is not None and spent + step.seconds > 3600 * hours:
            left.append(step)
            continue
        train(step.training, out)
    return left
