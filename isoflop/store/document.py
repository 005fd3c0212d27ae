"""JSON files of a study, read with suspicion: whatever is wrong ends in one sentence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from isoflop.base import strict_json
from isoflop.base.errors import InputError

FORMAT = 1
"""Version of every file of a study but study.json; see docs/formats.md."""

Kinds: TypeAlias = Mapping[str, type | tuple[type, ...]]
"""{key a reader relies on: what its value must be}"""


def read_document(
    path: Path, needed: Kinds, remedy: str, *, newest: int = FORMAT
) -> dict[str, Any]:
    """Read a JSON object with the keys a reader relies on.

    Args:
        path: the file.
        needed: keys that must be there, with the kinds of their values.
        remedy: what to do about a damaged file, e.g. "delete it to train the run again".
        newest: format that can be read, besides those before it.

    Raises:
        InputError: unreadable, not UTF-8 JSON, of another format, or a key absent or of another
            kind; names the file and ends with the remedy.
    """
    try:
        document = strict_json.loads(path.read_text(encoding="utf-8"), source=str(path))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: damaged (byte {error.start} is not UTF-8); {remedy}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None
    except InputError as error:
        raise InputError(f"{error}; {remedy}") from None
    if not isinstance(document, dict):
        raise InputError(f"{path}: expected a JSON object; {remedy}")
    if document.get("format", FORMAT) not in range(FORMAT, newest + 1):
        raise InputError(
            f"{path}: format {document['format']!r}, expected {newest}; "
            "use the isoflop version that wrote it"
        )
    for key, kind in needed.items():
        value = document.get(key, _ABSENT)
        if not isinstance(value, kind) or isinstance(value, bool):
            found = "is absent" if value is _ABSENT else f"is {value!r:.40}"
            raise InputError(f"{path}: `{key}` {found}; {remedy}")
    return document


_ABSENT = object()
