"""TFRecord files: framed records with CRC-32C, read up to a torn tail.

A record is its length (8 bytes, little-endian), the masked CRC of the length (4), the data, and
the masked CRC of the data (4). Checksums of all records of one length are computed side by side,
a byte at a time down the columns.
"""

import struct
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78  # Castagnoli, reflected
_MASK = 0xA282EAD8  # TensorFlow's masking: rotate by 15, add this
MAX_CHECKED = 4096
"""Data longer than this (images, histograms, graphs) are no scalars: only framed, not summed."""
SHARE = 20_000_000
"""Bytes summed side by side at a time."""


@dataclass(frozen=True)
class Records:
    """What a record file holds.

    Args:
        data: the sound records, in order.
        n_framed: records framed, sound or not.
        damaged: records whose data do not match their checksum.
        torn: bytes after the last framed record, 0 in a file that was closed.
    """

    data: tuple[bytes, ...]
    n_framed: int
    damaged: int
    torn: int


def read_records(content: bytes) -> Records:
    """Split a file into its records, dropping those whose checksum does not match.

    A frame whose length does not match its own checksum ends the reading: nothing after it can
    be found again.
    """
    starts: list[int] = []
    lengths: list[int] = []
    at = 0
    while at + 16 <= len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        if at + 16 + length > len(content):
            break
        starts.append(at)
        lengths.append(length)
        at += 16 + length
    buffer = np.frombuffer(content, np.uint8)
    framed = _sound_lengths(buffer, np.array(starts, np.int64))
    end = at if framed == len(starts) else starts[framed]
    sound = _sound_data(buffer, starts[:framed], lengths[:framed])
    data = tuple(
        content[start + 12 : start + 12 + length]
        for start, length, whole in zip(starts, lengths, sound, strict=False)
        if whole
    )
    return Records(data, framed, framed - len(data), len(content) - end)


def masked_crc(data: bytes) -> int:
    """Return the masked CRC-32C of some bytes.

    >>> hex(masked_crc(b"123456789"))  # CRC-32C of the check string is 0xe3069283
    '0xc78ab0e5'
    """
    return int(_masked_crcs(np.frombuffer(data, np.uint8)[None, :])[0])


def _sound_lengths(buffer: NDArray[np.uint8], starts: NDArray[np.int64]) -> int:
    """Return how many frames, from the first, have a length that matches its checksum."""
    if not len(starts):
        return 0
    wrong = np.zeros(len(starts), bool)
    rows = SHARE // 12
    for k in range(0, len(starts), rows):
        frames = buffer[starts[k : k + rows, None] + np.arange(12)]
        wrong[k : k + rows] = _masked_crcs(frames[:, :8]) != _words(frames[:, 8:])
    return int(np.argmax(wrong)) if wrong.any() else len(starts)


def _sound_data(
    buffer: NDArray[np.uint8], starts: list[int], lengths: list[int]
) -> NDArray[np.bool_]:
    sound = np.ones(len(starts), bool)
    of_length: dict[int, list[int]] = defaultdict(list)
    for k, length in enumerate(lengths):
        if length <= MAX_CHECKED:
            of_length[length].append(k)
    for length, members in of_length.items():
        rows = max(1, SHARE // (length + 4))
        for first in range(0, len(members), rows):
            part = np.array(members[first : first + rows])
            at = np.array([starts[k] + 12 for k in part])
            block = buffer[at[:, None] + np.arange(length + 4)]
            sound[part] = _masked_crcs(block[:, :length]) == _words(block[:, length:])
    return sound


def _masked_crcs(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the masked CRC-32C of each row of (n_rows, n_bytes)."""
    crc = np.full(len(rows), 0xFFFFFFFF, np.uint32)
    for column in rows.T:
        crc = _TABLE[(crc ^ column) & 0xFF] ^ (crc >> np.uint32(8))
    crc = ~crc
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(_MASK)


def _words(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    return np.ascontiguousarray(rows).view("<u4")[:, 0].astype(np.uint32)


def _make_table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table.astype(np.uint32)


_TABLE = _make_table()
