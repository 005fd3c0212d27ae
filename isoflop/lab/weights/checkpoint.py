"""One checkpoint of a trunk: a safetensors file, committed whole, every byte under one hash.

The metadata key `isoflop` holds `format`, `step`, `diverged`, `position` and `sha256`: the SHA-256
of the file with the 64 digits of that very hash read as zeros. A flipped bit anywhere, header and
padding included, and any truncation is seen before a tensor is looked at.

Nothing random is saved, because nothing random has a state: data order, dropout and noise
measurements are pure functions of (ladder seed, member, step), so that `step` is the position in
the data and the state of every generator. `position` is the proof: which row comes next for each
model, and the SHA-256 of its tokens (`isoflop.lab.data.position_proof`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError

FORMAT = 2
"""Of a checkpoint; 1 had no `format`, no `position`, and a hash over tensors alone."""

_HEADER = "isoflop"
_BLANK = "0" * 64


@dataclass(frozen=True)
class Checkpoint:
    """Everything a trunk's later steps depend on.

    Args:
        step: steps taken; with the ladder's seeds it fixes data order and every random number.
        diverged: model → step of its first loss that was not a number.
        tensors: weights and moments, see `AdamW.state`.
        position: what comes next in the data, see `prove_position`; empty if not recorded.
    """

    step: int
    diverged: dict[int, int]
    tensors: dict[str, Tensor]
    position: Mapping[str, Any] = field(default_factory=dict)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint; a reader sees the previous one or this one, never a part."""
    write_atomic(path, pack_checkpoint(checkpoint))


def load_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None if there is none or it is damaged.

    Raises:
        InputError: intact, but written by a later release.
    """
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    return unpack_checkpoint(raw, source=str(path))


def pack_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return the bytes of a checkpoint: the same for the same content."""
    header: dict[str, Any] = {
        "format": FORMAT,
        "step": checkpoint.step,
        "diverged": {str(k): v for k, v in checkpoint.diverged.items()},
        "position": dict(checkpoint.position),
        "sha256": _BLANK,
    }
    tensors = {name: tensor.cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    # One key only: safetensors writes several in an order that changes from process to process.
    raw = save(tensors, metadata={_HEADER: strict_json.dumps(header)})
    place = raw.index(_BLANK.encode())
    return raw[:place] + hashlib.sha256(raw).hexdigest().encode() + raw[place + 64 :]


def unpack_checkpoint(raw: bytes, *, source: str = "checkpoint") -> Checkpoint | None:
    """Return the checkpoint of some bytes, None if they are damaged.

    Args:
        raw: what `pack_checkpoint` made, or a file of format 1.
        source: named in the error.

    Raises:
        InputError: intact, but written by a later release.
    """
    header = _read_header(raw)
    if header is None:
        return None
    found = header.get("format", 1)
    if found != 1:
        if not _intact(raw, header):
            return None
        if found != FORMAT:
            raise InputError(
                f"{source}: a checkpoint of format {found!r}, this release reads up to {FORMAT}; "
                "use the isoflop version that wrote it"
            )
    try:
        tensors = load(raw)
    except (SafetensorError, ValueError):
        return None
    if found == 1 and header.pop("sha256", None) != _digest_format_1(header, tensors):
        return None
    diverged = {int(model): step for model, step in header["diverged"].items()}
    return Checkpoint(header["step"], diverged, tensors, header.get("position", {}))


def _read_header(raw: bytes) -> dict[str, Any] | None:
    """Return what the file says of itself, None if it cannot be read."""
    length = int.from_bytes(raw[:8], "little")
    try:
        metadata = strict_json.loads(raw[8 : 8 + length].decode())["__metadata__"]
        header = strict_json.loads(metadata[_HEADER])
    except (InputError, UnicodeDecodeError, KeyError, TypeError):
        return None
    return header if isinstance(header, dict) else None


def _intact(raw: bytes, header: Mapping[str, Any]) -> bool:
    """Tell whether the file's hash is that of its bytes."""
    digest = str(header.get("sha256", "")).encode()
    place = raw.find(digest) if len(digest) == len(_BLANK) else -1
    if place < 0:
        return False
    blanked = hashlib.sha256(raw[:place])
    blanked.update(_BLANK.encode())
    blanked.update(memoryview(raw)[place + 64 :])
    return blanked.hexdigest().encode() == digest


def _digest_format_1(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(strict_json.dumps(dict(header)).encode())
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].numpy().tobytes())
    return digest.hexdigest()
