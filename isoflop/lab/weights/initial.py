"""Weights to begin with: those of a finished run of another study, checked by hash.

So that a model trained on one text can go on with another, and what the first was worth to it can
be counted in data (Hernandez et al. 2021).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError, SpecError
from isoflop.lab.loop import State
from isoflop.lab.models.layout import layout
from isoflop.lab.weights.final import member_weights, weights_bytes
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.runs.ladders.shapes import model_row
from isoflop.runs.settle import settle_recipe
from isoflop.store.manifest import read_manifest
from isoflop.store.study import Study

WEIGHTS = "weights.safetensors"
_REMEDY = "name a finished run of a study trained with keep_weights = true, as STUDY/runs/RUN"


@dataclass(frozen=True)
class Start:
    """A finished run that a rung begins with.

    Args:
        folder: of the run.
        manifest: its run.json.
        study: the study it belongs to.
    """

    folder: Path
    manifest: Mapping[str, Any]
    study: Study

    @property
    def sha256(self) -> str:
        """Hash of its weights."""
        return str(self.manifest.get("weights_sha256", ""))


def keep_weights(folder: Path, master: Tensor, rung: Rung, member: int) -> None:
    """Write one model's weights into its run's folder, before the run is committed.

    Args:
        folder: of the run.
        master: (K·P,) float32 of the rung.
        rung: its shape.
        member: which of the K.
    """
    write_atomic(folder / WEIGHTS, weights_bytes(member_weights(master, rung.architecture, member)))


def check_starts(ladder: Ladder) -> None:
    """Refuse runs that a rung cannot begin with, before anything is made.

    Raises:
        InputError: no such run, unfinished, diverged, without its weights or with damaged ones,
            of another shape or tokenizer; of several rungs a SpecError with a line each.
    """
    against: list[InputError] = []
    for rung in ladder.rungs:
        try:
            if rung.start:
                _check_same(ladder, rung, find_start(rung))
                read_start(rung)
        except InputError as error:
            against.append(error)
    if len(against) == 1:
        raise against[0]
    if against:
        raise SpecError("rungs", [str(error) for error in against])


def describe_starts(ladder: Ladder) -> dict[str, Any]:
    """Return `starts` of study.json: rung → run and hash of its weights; nothing without any."""
    starts = {
        rung.name: {"run": rung.start, "weights_sha256": find_start(rung).sha256}
        for rung in ladder.rungs
        if rung.start
    }
    return {"starts": starts} if starts else {}


def start_columns(rung: Rung, n_tokens: int) -> dict[str, Any]:
    """Return what a run's row says of its start; nothing without one.

    Args:
        rung: of the run.
        n_tokens: that the run itself was trained on.
    """
    if not rung.start:
        return {}
    start = find_start(rung)
    return {
        "n_finetune": n_tokens,
        "start": rung.start,
        "start_sha256": start.sha256,
        "start_dataset": start.manifest["dataset"],
        "start_tokens": start.manifest["n_tokens"],
    }


def begin_with(state: State, rung: Rung, settings: Mapping[str, Any]) -> None:
    """Give every model of a rung the weights that it starts from; nothing if it has no start.

    Args:
        state: of the trainer, before its first step.
        rung: the models.
        settings: study.json, whose hash the weights must have.

    Raises:
        InputError: the weights are gone, damaged or not those the study was begun with.
    """
    if not rung.start:
        return
    known = settings.get("starts", {}).get(rung.name, {}).get("weights_sha256")
    found = find_start(rung).sha256
    if known not in (None, found):
        raise InputError(
            f"rung {rung.name}: {rung.start} has other weights than this study was begun with "
            f"({found[:12]}, not {known[:12]}); restore them or start a new study"
        )
    weights, whole = read_start(rung), state.state()
    for weight in layout(rung.architecture, 1):  # the width of the muP rule moves no weight
        begin = rung.members * weight.offset
        place = whole["master"][begin : begin + rung.members * weight.size]
        place.view(rung.members, *weight.shape).copy_(weights[weight.name])
    state.restore(whole)


def find_start(rung: Rung) -> Start:
    """Return the run that a rung begins with.

    Raises:
        InputError: there is none, or it is not finished.
    """
    folder = Path(rung.start)
    if folder.parent.name != "runs" or not (folder / "run.json").is_file():
        raise InputError(f"rung {rung.name}: start {rung.start} is no run; {_REMEDY}")
    manifest = read_manifest(folder)
    assert manifest is not None
    if manifest["status"] != "finished":
        raise InputError(f"rung {rung.name}: start {rung.start} is {manifest['status']}; {_REMEDY}")
    return Start(folder, manifest, Study.open(folder.parent.parent))


def read_start(rung: Rung) -> dict[str, Tensor]:
    """Return the weights that a rung begins with, by name.

    Raises:
        InputError: no run, no weights, or damaged ones.
    """
    start = find_start(rung)
    path = start.folder / WEIGHTS
    if not path.is_file():
        raise InputError(f"rung {rung.name}: {path} is not there; {_REMEDY}")
    raw = path.read_bytes()
    damaged = InputError(f"rung {rung.name}: {path} is damaged; train its run again")
    if hashlib.sha256(raw).hexdigest() != start.sha256:
        raise damaged
    try:
        return load(raw)
    except (SafetensorError, ValueError):
        raise damaged from None


def _check_same(ladder: Ladder, rung: Rung, start: Start) -> None:
    """Refuse another shape, scale of tied logits, or meaning of token ids."""
    theirs = start.study.ladder
    source = theirs.rung(start.manifest["rung"])
    mine, other = model_row(rung.architecture), model_row(source.architecture)
    differ = [
        f"{key} is {mine.get(key)!r}, there {other.get(key)!r}"
        for key in {**mine, **other}
        if mine.get(key) != other.get(key)
    ]
    width, their_width = (
        settle_recipe(recipe, each).base_width
        for recipe, each in ((ladder.recipe, rung), (theirs.recipe, source))
    )
    if mine.get("tied") and width != their_width:
        differ.append(f"base_width is {width}, there {their_width}, and the head is tied")
    if ladder.tokenizer != "bytes" or theirs.tokenizer != "bytes":
        differ.append(
            f"tokenizer is {ladder.tokenizer}, there {theirs.tokenizer}: only bytes mean the same "
            "in two studies"
        )
    if differ:
        raise InputError(f"rung {rung.name}: cannot start from {rung.start}: {'; '.join(differ)}")
