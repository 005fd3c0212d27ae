"""Tell the format of a source by what is in it, then read it."""

import importlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.exchange import bounded
from isoflop.exchange.foreign_json import parse_json
from isoflop.exchange.found import Found
from isoflop.exchange.readonly_sqlite import MAGIC, open_readonly
from isoflop.exchange.sources import aim, lm_eval, nanochat, olmo_ladder, trackio, wandb_csv
from isoflop.exchange.sources.csv_rows import first_line

FORMATS: Mapping[str, tuple[str, str]] = {
    "study": ("studies", "read"),
    "csv": ("tables", "read_delimited"),
    "json": ("tables", "read_json"),
    "jsonl": ("tables", "read_jsonl"),
    "parquet": ("tables", "read_parquet"),
    "arrow": ("tables", "read_arrow"),
    "wandb": ("wandb_folder", "read"),
    "wandb-runs": ("wandb_csv", "read_runs_table"),
    "wandb-chart": ("wandb_csv", "read_chart"),
    "trainer-state": ("trainer_state", "read"),
    "tensorboard": ("tensorboard", "read"),
    "mlflow": ("mlflow", "read"),
    "trackio": ("trackio", "read"),
    "lm-eval": ("lm_eval", "read"),
    "nanochat": ("nanochat", "read"),
    "aim": ("aim", "read"),
    "olmo-ladder": ("olmo_ladder", "read"),
}
"""{format: (module in `sources`, its function)}"""

_HEAD = 1 << 16
_TABLES = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".arrow")
_ZIP = b"PK\x03\x04"


def find_runs(path: Path, format: str | None = None) -> Found:  # noqa: A002
    """Read a file or folder in the format it is in, or the one named.

    Raises:
        InputError: nothing there, no format recognised, or several.
    """
    if format is not None and format not in FORMATS:
        raise UnknownNameError("format", format, FORMATS)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if not path.is_dir() and not path.is_file():  # a pipe would wait for ever
        raise InputError(f"{path}: not a regular file")
    if path.is_file() and _head(path).startswith(_ZIP):
        return _find_in_zip(path, format)
    name = format or (_sniff_folder(path) if path.is_dir() else _sniff_file(path))
    if name == "mlflow" and path.is_dir():
        path = path / "mlflow.db"
    if path.is_dir() and name in _FILES_ONLY:
        raise InputError(f"{path}: a folder; {name} is read from a file")
    module, function = FORMATS[name]
    reader = getattr(importlib.import_module(f"isoflop.exchange.sources.{module}"), function)
    return reader(path)


_FILES_ONLY = frozenset(
    {"csv", "json", "jsonl", "parquet", "arrow", "wandb-runs", "wandb-chart", "nanochat", "aim"}
)


def _find_in_zip(path: Path, format: str | None) -> Found:  # noqa: A002
    bounded.refuse_pickle(path)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / path.stem
        place.mkdir()
        bounded.unpack_zip(bounded.read_bounded(path), place, str(path))
        inside = [p for p in place.iterdir() if not p.name.startswith(".")]
        if not inside:
            raise InputError(f"{path}: an empty zip")
        if (place / "[Content_Types].xml").is_file() or (place / "mimetype").is_file():
            raise InputError(f"{path}: a workbook of a spreadsheet; save its sheet as CSV")
        try:
            files = [each for each in bounded.walk(place) if not each.name.startswith(".")]
            if any(_head(each).startswith(_ZIP) for each in files):
                raise InputError(f"{path}: a zip inside a zip; unpack it")
            alone = next((each for each in (files, inside) if len(each) == 1), [place])
            return find_runs(alone[0], format)
        except InputError as error:
            hidden = str(error).replace(f"{place}/", f"{path}:").replace(str(place), str(path))
            hidden = hidden.replace("in this folder", "in this zip")
            hidden = hidden.replace("import one by its name", "unpack it and import one")
            raise InputError(hidden) from None


def _sniff_folder(path: Path) -> str:
    if (path / "ladder.toml").is_file() or any(path.glob("runs/*/columns.json")):
        return "study"
    kinds: list[str] = []
    for file in bounded.walk(path):
        kind = _kind_in_folder(file)
        if kind and kind not in kinds:
            kinds.append(kind)
    if "wandb" in kinds and "tensorboard" in kinds:  # W&B keeps copies of synced event files
        raise InputError(_several(path, kinds))
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        raise InputError(_several(path, kinds))
    if (path / "mlruns").is_dir() or (path / "meta.yaml").is_file():
        raise InputError(
            f"{path}: MLflow's file store, which MLflow 3.13 refuses too; move it to mlflow.db "
            "with `mlflow migrate-filestore`, or export a CSV"
        )
    tables = [file.name for file in bounded.walk(path) if file.suffix.lower() in _TABLES]
    if tables:
        shown = ", ".join(tables[:3]) + (", …" if len(tables) > 3 else "")
        raise InputError(
            f"{path}: no runs recognised in this folder, but tables ({shown}); "
            "import one by its name"
        )
    raise InputError(
        f"{path}: no runs recognised in this folder; looked for a study, W&B, TensorBoard, "
        "trainer_state.json, mlflow.db, trackio, lm-eval and OLMo-ladder files"
    )


def _several(path: Path, kinds: list[str]) -> str:
    return f"{path}: holds {', '.join(kinds)}; say which with --format"


def _kind_in_folder(file: Path) -> str | None:
    name = file.name
    if name.endswith(".wandb") or name == "wandb-summary.json":
        return "wandb"
    if "tfevents" in name:
        return "tensorboard"
    if name == "trainer_state.json":
        return "trainer-state"
    if name == "mlflow.db":
        return "mlflow"
    if trackio.is_project(file):
        return "trackio"
    if lm_eval.is_results_file(file):
        return "lm-eval"
    return "olmo-ladder" if olmo_ladder.has_log(file) else None


def _sniff_file(path: Path) -> str:
    bounded.refuse_pickle(path)
    head = _head(path)
    suffix = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if head.startswith(MAGIC):
        return _sniff_database(path)
    bounded.refuse_pickled(head, str(path))
    for magic, name in ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b":W&B", "wandb")):
        if head.startswith(magic):
            return name
    if "tfevents" in path.name:
        return "tensorboard"
    if suffix in ("parquet", "pq"):
        return "parquet"
    if suffix in ("arrow", "feather", "ipc", "arrows"):
        return "arrow"
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    if not text:
        raise InputError(f"{path}: the file is empty; expected runs")
    if suffix in ("jsonl", "ndjson"):
        return "jsonl"
    if text[0] in "{[" or suffix == "json":
        return _sniff_json(path)
    return _sniff_csv(path, first_line(text), suffix)


def _sniff_database(path: Path) -> str:
    with open_readonly(path) as database:
        if {"experiments", "runs", "latest_metrics"} <= database.tables:
            return "mlflow"
        if "metrics" in database.tables and "metrics" in database.columns("metrics"):
            return "trackio"
        shown = ", ".join(sorted(database.tables)[:6])
    raise InputError(f"{path}: a SQLite database of neither MLflow nor trackio (tables: {shown})")


def _sniff_json(path: Path) -> str:
    text = bounded.decode(bounded.read_bounded(path), str(path))
    try:
        document = parse_json(text, source=str(path))
    except InputError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and lines[0].lstrip().startswith("{") and lines[0].rstrip().endswith("}"):
            return "jsonl"
        raise
    if isinstance(document, dict) and "log_history" in document:
        return "trainer-state"
    return "lm-eval" if lm_eval.is_results(document) else "json"


def _sniff_csv(path: Path, header: list[str], suffix: str) -> str:
    for name, recognises in (
        ("nanochat", nanochat.is_results),
        ("olmo-ladder", olmo_ladder.is_log),
        ("wandb-chart", wandb_csv.is_chart),
        ("wandb-runs", wandb_csv.is_runs_table),
        ("aim", aim.is_metrics_page),
    ):
        if recognises(header):
            return name
    if len(header) < 2 and suffix not in ("csv", "tsv", "txt"):
        raise InputError(f"{path}: format not recognised; say which with --format")
    return "csv"


def _head(path: Path) -> bytes:
    bounded.refuse_pickle(path)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    return bounded.read_bounded(path)[:_HEAD] if head.startswith(b"\x1f\x8b") else head
