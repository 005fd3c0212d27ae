"""What a study was begun with: study.json, and the ladder in it that ladder.toml must be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError
from isoflop.runs.ladders.diff import ladder_differences
from isoflop.runs.ladders.ladder import Ladder
from isoflop.runs.ladders.toml import ladder_hash, parse_ladder, print_ladder
from isoflop.store.document import Kinds, read_document
from isoflop.store.layout import LAYOUT

_KINDS: Kinds = {"device": str, "precision": str, "torch": str}


def read_settings(study: Path) -> dict[str, Any]:
    """Return study.json; empty before training.

    Raises:
        InputError: the file is damaged.
    """
    path = study / "study.json"
    if not path.exists():
        return {}
    return read_document(path, _KINDS, "restore it, or start a new study", newest=LAYOUT)


def write_settings(study: Path, ladder: Ladder, settings: Mapping[str, Any]) -> None:
    """Commit study.json with its identity: the layout and the ladder."""
    identity = {"format": LAYOUT, "ladder_sha256": ladder_hash(ladder)}
    rest = {key: value for key, value in settings.items() if key not in (*identity, "ladder")}
    document = {**identity, **rest, "ladder": print_ladder(ladder)}
    write_atomic(study / "study.json", strict_json.dumps(document, indent=1) + "\n")


def begun_ladder(study: Path) -> Ladder | None:
    """Return the ladder a study was begun with, None where none is kept: before training."""
    try:
        text = read_settings(study).get("ladder")
    except InputError:
        return None  # damaged: whoever needs its content says so
    return parse_ladder(text, source=f"{study}/study.json") if isinstance(text, str) else None


def refuse_edited(study: Path, ladder: Ladder) -> None:
    """Refuse a ladder.toml that is no longer the ladder a study was begun with.

    Args:
        study: its folder.
        ladder: what its ladder.toml says now.

    Raises:
        InputError: names every difference.
    """
    begun = begun_ladder(study)
    if begun is not None and (differences := ladder_differences(begun, ladder)):
        raise InputError(
            f"{study}/ladder.toml is not the ladder this study was begun with: "
            f"{'; '.join(differences)}; restore it, or write the other to a file of its own and go "
            f"on with it: isoflop ladder run FILE.toml -o {study} --force"
        )
