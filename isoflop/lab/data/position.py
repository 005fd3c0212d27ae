"""Where a stream of documents was broken off: rows read, bytes written; saved with the text."""

from pathlib import Path

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError
from isoflop.store.document import FORMAT, Kinds, read_document

_NEEDED: Kinds = {"format": int, "row": int, "bytes": int, "definition": str}


class Position:
    """`position.json` of a corpus in the making.

    Args:
        folder: where the corpus is being made.
        definition: identity of what it is made from; a position of another is none.
    """

    def __init__(self, folder: Path, definition: str) -> None:
        self._path, self._definition = folder / "position.json", definition
        self.row = self.bytes = 0
        if self._path.exists():
            self._read()

    def saved(self) -> bool:
        """Tell whether there is a position to go on from."""
        return self.row > 0 and self._path.exists()

    def save(self, row: int, n_bytes: int) -> None:
        """Commit: `row` rows of the source have become the first `n_bytes` of the file."""
        self.row, self.bytes = row, n_bytes
        document = {"format": FORMAT, "row": row, "bytes": n_bytes, "definition": self._definition}
        write_atomic(self._path, strict_json.dumps(document) + "\n")

    def forget(self) -> None:
        """Remove the file: the corpus is whole."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        try:
            document = read_document(self._path, _NEEDED, "begin anew")
        except InputError:
            return
        if document["definition"] == self._definition:
            self.row, self.bytes = document["row"], document["bytes"]
