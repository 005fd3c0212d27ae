"""Count the weights of a checkpoint from the header of its safetensors file, reading no weight."""

import math
import struct
from pathlib import Path

from isoflop.base.errors import InputError
from isoflop.exchange.foreign_json import parse_json

MAX_HEADER = 16 << 20
"""Bytes; the header of a model of 100 layers is some 100 kB."""


def count_weights(folder: Path) -> int | None:
    """Return the number of weights in `model.safetensors`, None without a sound one.

    Tied weights are stored once, so they are counted once.
    """
    path = folder / "model.safetensors"
    if path.is_symlink() or not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = file.read(length) if length <= MAX_HEADER else b""
        document = parse_json(header.decode(), source=str(path))
        shapes = [e["shape"] for name, e in document.items() if name != "__metadata__"]
        return sum(math.prod(int(n) for n in shape) for shape in shapes) or None
    except (OSError, struct.error, InputError, UnicodeDecodeError):
        return None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
