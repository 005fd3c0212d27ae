"""The weights of one finished model of a pack: named tensors, their bytes, their hash."""

import hashlib

from safetensors.torch import save
from torch import Tensor

from isoflop.accounting.families import Model
from isoflop.lab.models.layout import layout


def member_weights(master: Tensor, model: Model, member: int) -> dict[str, Tensor]:
    """Take one model's weights out of the buffer of its pack.

    Args:
        master: (K·P,) float32, see `Pack`.
        model: shape of all K.
        member: which of the K.

    Returns:
        Name → float32 tensor of the weight's shape, on the CPU.
    """
    weights = layout(model, 1)  # the width of the muP rule moves no weight
    packed = len(master) // sum(weight.size for weight in weights)
    found = {}
    for weight in weights:
        begin = packed * weight.offset + member * weight.size
        found[weight.name] = master[begin : begin + weight.size].view(weight.shape).cpu().clone()
    return found


def weights_bytes(weights: dict[str, Tensor]) -> bytes:
    """Return the safetensors file of a model's weights: the same bytes for the same weights."""
    return save(weights)


def weights_sha256(master: Tensor, model: Model, member: int) -> str:
    """Return the SHA-256 of the safetensors file of one model's float32 weights."""
    return hashlib.sha256(weights_bytes(member_weights(master, model, member))).hexdigest()
