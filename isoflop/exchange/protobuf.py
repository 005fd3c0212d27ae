"""The wire format of protocol buffers, as much as event and run logs need."""

import struct
from collections.abc import Iterator

Value = int | bytes
_MAX_FIELDS = 1_000_000


class WireError(ValueError):
    """Bytes that are not a protocol buffer."""


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    r"""Yield (field number, value): varints as int, everything else as its bytes.

    Fixed 32 and 64 bit values come as 4 and 8 bytes, little-endian.

    Raises:
        WireError: cut short, or of a wire type out of use.

    >>> list(fields(b"\x08\x96\x01\x12\x02hi"))
    [(1, 150), (2, b'hi')]
    """
    at = 0
    for _ in range(_MAX_FIELDS):
        if at >= len(message):
            return
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == 2:
            length, at = _varint(message, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise WireError(f"wire type {kind}")
        if at + length > len(message):
            raise WireError("cut short")
        yield key >> 3, message[at : at + length]
        at += length
    raise WireError("too many fields")


def as_bytes(value: Value) -> bytes:
    """Return a length-delimited value.

    Raises:
        WireError: a varint.
    """
    if isinstance(value, int):
        raise WireError("a number where bytes belong")
    return value


def as_text(value: Value) -> str:
    """Return text; bytes that are not UTF-8 become marks."""
    return as_bytes(value).decode("utf-8", errors="replace")


def as_signed(value: Value) -> int:
    """Return a varint as a signed 64-bit integer.

    Raises:
        WireError: not a varint.
    """
    if not isinstance(value, int):
        raise WireError("bytes where a number belongs")
    return value - (1 << 64) if value >= 1 << 63 else value


def as_double(value: Value) -> float:
    """Return a fixed 64-bit value as a float."""
    return _unpack("<d", value)


def as_float(value: Value) -> float:
    """Return a fixed 32-bit value as a float."""
    return _unpack("<f", value)


def _unpack(kind: str, value: Value) -> float:
    try:
        return float(struct.unpack(kind, as_bytes(value))[0])
    except struct.error:
        raise WireError("a number of another width") from None


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise WireError("cut short")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise WireError("a number too long")
