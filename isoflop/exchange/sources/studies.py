"""Our own studies and recorded runs: manifests of the runs that are over; see docs/formats.md."""

from collections.abc import Sequence
from pathlib import Path

from isoflop.base import strict_json
from isoflop.base.errors import InputError
from isoflop.exchange.bounded import decode, read_bounded
from isoflop.exchange.found import Found, Refused, SourceRun
from isoflop.runs.counted import counted
from isoflop.runs.unfinished import none_finished

_FORMAT = 1
_NOT_COLUMNS = ("format", "diverged_step", "journal_sha256", "weights_sha256", "run", "status")


def read(path: Path) -> Found:
    """Read `runs/*/run.json` of a study."""
    runs: list[SourceRun] = []
    refused: list[Refused] = []
    folders = sorted(p for p in (path / "runs").glob("*") if p.is_dir() and not p.is_symlink())
    pending: list[str] = []
    for folder in folders:
        manifest = folder / "run.json"
        if manifest.is_symlink() or not manifest.is_file():
            pending.append(folder.name)
            continue
        try:
            runs.append(_read_manifest(manifest))
        except InputError as error:
            refused.append(Refused(folder.name, str(error)))
    if pending and not runs and not refused:
        raise InputError(_none_over(path, pending))
    notes = [f"not over yet: {counted(len(pending), 'run')}"] if pending else []
    if (path / "ladder.toml").is_file():
        notes.append("loss is measured after the cooldown on all held-out tokens of the study")
    return Found("isoflop study", tuple(runs), len(runs), "rows", tuple(refused), tuple(notes))


def _none_over(path: Path, names: Sequence[str]) -> str:
    if (path / "ladder.toml").is_file():
        return f"{path}: no run is over yet; go on with: isoflop ladder resume {path}"
    return none_finished(path, names)


def _read_manifest(path: Path) -> SourceRun:
    text = decode(read_bounded(path), str(path))
    row = strict_json.loads(text, source=str(path))
    if not isinstance(row, dict) or row.get("format") != _FORMAT:
        raise InputError(f"{path}: not a run of format {_FORMAT}")
    cells = {
        name: value
        for name, value in row.items()
        if name not in _NOT_COLUMNS and not isinstance(value, dict | list)
    }
    return SourceRun(str(row.get("run", path.parent.name)), cells, status=str(row.get("status")))
