"""What decides the numbers of a study besides its ladder; a study does not change it unnoticed.

Thread count, torch release and processor family change losses in their last bits; the code and
the tokens change them altogether. `study.json` keeps what a study was begun with. Another model of
processor of the same family may choose other kernels, which changes last bits too; ladders are
trained on what a cluster has at hand, so that is noted, not refused.
"""

import ast
import hashlib
import platform
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch

import isoflop
from isoflop.base.errors import InputError
from isoflop.lab.data.describe import files_of
from isoflop.lab.engines.placement import THREADS

_ROOT = Path(isoflop.__file__).parent
_FROM: tuple[str, ...] = ("isoflop.lab.train_rung", "isoflop.lab.distributed.rank")
"""Where one process begins, and where each of several ranks does."""
_FLOORS = ("isoflop.lab.", "isoflop.runs.", "isoflop.accounting.")
_HARMLESS = (
    "isoflop.lab.data.",  # what it makes of a corpus is hashed itself
    "isoflop.lab.identity",
    "isoflop.lab.launchers",
    "isoflop.lab.limits",
    "isoflop.runs.designs",
    "isoflop.runs.ladders.checks",
    "isoflop.runs.ladders.diff",
    "isoflop.runs.ladders.print",
    "isoflop.runs.ladders.shapes",
    "isoflop.runs.ladders.toml",
    "isoflop.runs.ladders.rung_checks",
    "isoflop.runs.recipes.checks",
    "isoflop.runs.recipes.words",
    "isoflop.runs.counted",
)
"""Modules below these names are no part of the hash: they decide what is trained, not how."""
_STREAMS = ("isoflop.lab.data.stream", "isoflop.lab.data.position", "isoflop.lab.data.tokens")
_WHOLE_BYTES = 2**32
"""Tokens beyond are told by data.json's hashes alone: reading them would take minutes."""


def measure_identity(
    data_folder: Path | None = None, data: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what a study is begun with, or goes on with.

    Args:
        data_folder: the study's prepared tokens, if they are.
        data: the content of its data.json.
    """
    tokens = {}
    if data_folder is not None and data is not None:
        tokens["data_sha256"] = data_sha256(data_folder, data)
    return {
        "torch": torch.__version__,
        "machine": platform.machine(),
        "processor": processor_model(),
        "threads_per_worker": THREADS,
        "code_sha256": code_sha256(),
        **tokens,
    }


def identity_differences(settings: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return one phrase per difference to be refused; what an older study did not note is none.

    >>> identity_differences({"torch": "2.6"}, {"torch": "2.7", "machine": "x86_64"})
    ['torch 2.6, now 2.7']
    """
    return [
        f"{key} {_short(settings[key])}, now {_short(value)}"
        for key, value in now.items()
        if key in settings and settings[key] != value and key != "processor"
    ]


def processor_note(settings: Mapping[str, Any]) -> str | None:
    """Return a sentence if this machine's processor is of another model than a study's, else None.

    Args:
        settings: study.json; one that names no processor is no reason for a note.
    """
    begun, here = settings.get("processor"), processor_model()
    if begun in (None, here):
        return None
    return (
        f"the study was begun on {begun}, this is {here}: losses of runs trained here may differ "
        "in their last digits"
    )


def processor_model(information: Path = Path("/proc/cpuinfo")) -> str:
    """Return the model of this machine's processor, its family where the system tells no model.

    Args:
        information: Linux's `model name` lines.
    """
    try:
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def refuse_differences(study: Path, differences: list[str]) -> None:
    """Refuse to go on with a study that is not what it was.

    Raises:
        InputError: names every difference.
    """
    if differences:
        raise InputError(
            f"{study} was begun with {'; '.join(differences)}; restore that, start a new study, or "
            "go on with --force, which is recorded in study.json"
        )


@cache
def code_sha256() -> str:
    """Return the hash of the sources that training runs through, found by their imports."""
    digest = hashlib.sha256()
    for module in sorted(code_modules()):
        digest.update(module.encode() + b"\0" + _source(module).read_bytes() + b"\0")
    return digest.hexdigest()


def code_modules() -> set[str]:
    """Return the modules that decide numbers: what training imports, and what they import."""
    found, waiting = set(), list(_FROM)
    while waiting:
        module = waiting.pop()
        if module in found or not _decides(module):
            continue
        found.add(module)
        waiting += _imports(_source(module))
    return found


def data_sha256(folder: Path, data: Mapping[str, Any]) -> str:
    """Return the hash of a study's token files, byte by byte up to four GiB of them."""
    files = [folder / name for part in files_of(data).values() for name, _ in part]
    digest = hashlib.sha256(str(data.get("fingerprint", "")).encode())
    if sum(path.stat().st_size for path in files) <= _WHOLE_BYTES:
        for path in files:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _decides(module: str) -> bool:
    if module.startswith(_STREAMS):
        return True
    return module.startswith(_FLOORS) and not module.startswith(_HARMLESS)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("isoflop"):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in (node.module or "", *names) if _source(name).is_file())


def _source(module: str) -> Path:
    path = _ROOT.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _short(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 else text
