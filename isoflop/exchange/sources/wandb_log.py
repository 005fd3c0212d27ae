"""The `.wandb` file of a W&B run: its whole history, also of runs that were never synced.

LevelDB's log format after a header of 7 bytes: blocks of 32 KiB, in each records of CRC-32, length,
kind (whole, first, middle, last) and data; the data are protocol buffers whose field numbers are
those of wandb's `wandb_internal.proto`. An offline run has nothing else: wandb 0.28 writes its
config and summary as files only once it syncs.
"""

import struct
import zlib
from dataclasses import dataclass, field

from isoflop.base.errors import InputError
from isoflop.exchange.foreign_json import Scalar, flatten, number, parse_json
from isoflop.exchange.protobuf import WireError, as_bytes, as_signed, as_text, fields

MAGIC = b":W&B"
_BLOCK, _HEAD = 32768, 7
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_RECORD_HISTORY, _RECORD_SUMMARY, _RECORD_CONFIG, _RECORD_RUN, _RECORD_EXIT = 2, 3, 5, 17, 18
_KEY, _NESTED, _JSON, _UPDATE = 1, 2, 16, 1


@dataclass
class RunLog:
    """What one log holds.

    Args:
        name: display name of the run, or its identifier.
        config: settings, nested names joined by dots.
        points: {metric: (steps, values)}.
        summary: {metric: last value}.
        exit_code: 0 if the run finished, None if the log ends before it says.
        damaged: records that could not be read.
        torn: bytes after the last whole record.
    """

    name: str = ""
    config: dict[str, Scalar] = field(default_factory=dict)
    points: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)
    summary: dict[str, Scalar] = field(default_factory=dict)
    exit_code: int | None = None
    damaged: int = 0
    torn: int = 0


def read_log(content: bytes, source: str) -> RunLog:
    """Read every whole record of a log.

    Raises:
        InputError: not a `.wandb` file.
    """
    if not content.startswith(MAGIC):
        what = "not a .wandb file" if content else "an empty log: wandb wrote nothing into it"
        raise InputError(f"{source}: {what}")
    log = RunLog()
    records, log.damaged, log.torn = _records(content)
    for record in records:
        try:
            _take(record, log)
        except (WireError, InputError):
            log.damaged += 1
    return log


def _records(content: bytes) -> tuple[list[bytes], int, int]:
    """Return the records, how many are damaged, and the bytes after the last whole one."""
    records: list[bytes] = []
    parts: list[bytes] = []
    damaged, at, good = 0, _HEAD, _HEAD
    while at + _HEAD <= len(content):
        left = _BLOCK - at % _BLOCK
        if left < _HEAD:
            at += left
            continue
        crc, length, kind = struct.unpack_from("<IHB", content, at)
        data = content[at + _HEAD : at + _HEAD + length]
        if not _WHOLE <= kind <= _LAST or length > left - _HEAD:
            damaged += kind != 0
            parts, at = [], at + left  # the rest of the block is lost, the next one is not
            continue
        if len(data) < length:
            break
        at += _HEAD + length
        if zlib.crc32(data, zlib.crc32(bytes([kind]))) != crc:
            damaged, parts = damaged + 1, []
            continue
        parts = [data] if kind in (_WHOLE, _FIRST) else [*parts, data]
        if kind in (_WHOLE, _LAST):
            records.append(b"".join(parts))
            parts, good = [], at
    return records, damaged, max(0, len(content) - good)


def _take(record: bytes, log: RunLog) -> None:
    for kind, value in fields(record):
        if kind == _RECORD_HISTORY:
            _take_history(as_bytes(value), log)
        elif kind == _RECORD_SUMMARY:
            log.summary.update(flatten(_items(as_bytes(value))))
        elif kind == _RECORD_CONFIG:
            log.config.update(flatten(_items(as_bytes(value))))
        elif kind == _RECORD_RUN:
            _take_run(as_bytes(value), log)
        elif kind == _RECORD_EXIT:
            codes = [as_signed(v) for n, v in fields(as_bytes(value)) if n == 1]
            log.exit_code = codes[0] if codes else 0


def _take_history(message: bytes, log: RunLog) -> None:
    step = 0.0
    items: dict[str, object] = {}
    for kind, value in fields(message):
        if kind == 1:
            key, item = _item(as_bytes(value))
            items[key] = item
        elif kind == 2:
            step = float(next((as_signed(v) for n, v in fields(as_bytes(value)) if n == 1), 0))
    stated = number(items.get("_step"))
    step = step if stated is None else stated
    for name, cell in flatten(items).items():
        amount = number(cell)
        if amount is not None:
            steps, values = log.points.setdefault(name, ([], []))
            steps.append(step)
            values.append(amount)


def _take_run(message: bytes, log: RunLog) -> None:
    for kind, value in fields(message):
        if (kind == 1 and not log.name) or (kind == 8 and value):
            log.name = as_text(value)
        elif kind == 4:
            log.config.update(flatten(_items(as_bytes(value))))


def _items(message: bytes) -> dict[str, object]:
    return dict(_item(as_bytes(value)) for kind, value in fields(message) if kind == _UPDATE)


def _item(message: bytes) -> tuple[str, object]:
    key, nested, value = "", [], ""
    for kind, cell in fields(message):
        if kind == _KEY:
            key = as_text(cell)
        elif kind == _NESTED:
            nested.append(as_text(cell))
        elif kind == _JSON:
            value = as_text(cell)
    name = ".".join([key, *nested] if key else nested)
    return name, parse_json(value, source=name) if value else None
