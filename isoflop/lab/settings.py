"""The folder and study.json of a study: made once, kept, changed knowingly or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.lab.data.corpora import read_corpus
from isoflop.lab.engines.choose import Packs, choose_engines
from isoflop.lab.engines.placement import check_device
from isoflop.lab.engines.probe import Probe, probe_machine
from isoflop.lab.identity import identity_differences, measure_identity, refuse_differences
from isoflop.lab.weights.initial import describe_starts
from isoflop.runs.ladders.diff import changed_rungs, ladder_differences
from isoflop.runs.ladders.ladder import Ladder
from isoflop.runs.ladders.toml import print_ladder, read_ladder
from isoflop.store.study import Study


def open_study(ladder: Ladder, path: Path | str, *, force: bool = False) -> Study:
    """Create a study, or open the one that holds this ladder.

    Args:
        ladder: what is trained.
        path: its folder.
        force: let the folder's ladder become this one. Finished runs stay; a rung whose training
            so far is of no use to the new ladder is set aside and begun again.

    Raises:
        InputError: the folder holds another ladder, naming what differs, or other files.
    """
    path = Path(path)
    if not (path / "ladder.toml").exists():
        return Study.create(path, ladder)
    study = Study.begun(path)
    differences = ladder_differences(study.ladder, ladder)
    if not differences:
        if read_ladder(path / "ladder.toml") != study.ladder:  # edited since
            write_atomic(path / "ladder.toml", print_ladder(study.ladder))
        return study
    if not force:
        refuse_differences(path, ["another ladder: " + "; ".join(differences)])
    with study.writing():
        _set_aside(study, changed_rungs(study.ladder, ladder))
        write_atomic(path / "ladder.toml", print_ladder(ladder))
        changed = Study(path, ladder)
        if settings := study.settings():
            _record(changed, settings, differences, {})
    return changed


def settle(study: Study, device: str, probe: Probe | None, packs: Packs = "any") -> dict[str, Any]:
    """Choose device, precision and engines once; a study keeps what it began with."""
    settings = study.settings()
    check_device(settings.get("device", device))
    if settings:
        return settings
    wanted = study.ladder.recipe.precision
    probe = probe or probe_machine(device)
    if wanted == "auto":
        wanted = probe.precision
    engines = choose_engines(study.ladder, probe, wanted, packs)
    starts = describe_starts(study.ladder)
    chosen = {"device": device, "precision": wanted, "engines": engines, **starts}
    study.write_settings({**chosen, **measure_identity()})
    return study.settings()


def verify_identity(study: Study, data: Mapping[str, Any], *, force: bool = False) -> None:
    """Refuse to go on with other code, data, torch or threads than the study was begun with.

    Another model of processor is put on record in `other_processors`.

    Args:
        study: settled.
        data: the content of its data.json.
        force: record the differences in study.json and go on.

    Raises:
        InputError: names every difference.
    """
    settings = study.settings()
    now = measure_identity(study.path / "data", data)
    differences = identity_differences(settings, now)
    if differences and not force:
        refuse_differences(study.path, differences)
    begun = settings.get("processor", now["processor"])
    others = settings.get("other_processors", [])
    if (here := now["processor"]) not in (begun, *others):
        settings = {**settings, "other_processors": [*others, here]}
    now["processor"] = begun
    if differences or {*now, "ladder"} - settings.keys() or settings != study.settings():
        _record(study, settings, differences, now)


def _record(
    study: Study, settings: Mapping[str, Any], differences: list[str], now: Mapping[str, Any]
) -> None:
    """Commit what the study goes on with, and what it was forced over after which runs."""
    kept = dict(settings)
    if differences:
        kept["forced"] = [*settings.get("forced", []), differences]
        kept["forced_runs"] = [*settings.get("forced_runs", []), list(study.manifests())]
    study.write_settings({**kept, **now})


def forget_other_corpus(study: Study) -> None:
    """Set aside the tokens of a corpus that has changed, and what was trained of them by half."""
    known = study.path / "data" / "data.json"
    if not known.exists():
        return
    document = strict_json.loads(known.read_text(encoding="utf-8"), source=str(known))
    if document.get("corpus_sha256") != read_corpus(study.ladder.corpus).sha256:
        _move_aside(study.path / "data")
        _set_aside(study, {rung.name for rung in study.ladder.rungs})


def _set_aside(study: Study, rungs: set[str]) -> None:
    for name in rungs & {rung.name for rung in study.ladder.rungs}:
        if study.rung_folder(name).exists() and not study.rung_finished(name):
            _move_aside(study.rung_folder(name))


def _move_aside(folder: Path) -> None:
    """Rename, never delete: what was there stays beside it."""
    aside, number = folder.with_name(f"{folder.name}.before"), 1
    while aside.exists():
        aside, number = folder.with_name(f"{folder.name}.before{number}"), number + 1
    folder.rename(aside)
