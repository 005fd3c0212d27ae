"""Rows of a hub's dataset into a corpus, up to the text wanted, resumed where it broke off."""

from isoflop.lab.data.catalog import Part
from isoflop.lab.data.collect import Collector
from isoflop.lab.data.hub import stream_rows
from isoflop.lab.data.position import Position

ROWS_BETWEEN_SAVES = 1000


def add_rows(part: Part, collector: Collector, position: Position | None) -> None:
    """Append rows until the corpus has `part.most_bytes` of text.

    Args:
        part: of the back end `hf`.
        collector: takes the documents.
        position: read to go on, and saved every thousand rows; None where the corpus has other
            parts too.
    """
    first = position.row if position is not None else 0
    began = 0 if first else collector.n_bytes
    for row, text in enumerate(stream_rows(part, first), start=first + 1):
        clean = text.replace("\r\n", "\n").replace("\x00", "").strip()
        collector.add(clean.encode("utf-8", "ignore"), least_bytes=part.least_bytes)
        if collector.n_bytes - began >= part.most_bytes:
            return
        if position is not None and row % ROWS_BETWEEN_SAVES == 0 and collector.n_documents:
            position.save(row, collector.flush())
