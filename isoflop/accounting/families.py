"""The families of models that can be counted."""

from isoflop.accounting import convolution, lstm, transformer
from isoflop.accounting.architecture import Architecture
from isoflop.accounting.convolution import Convolutional
from isoflop.accounting.inventory import Inventory
from isoflop.accounting.lstm import Lstm
from isoflop.accounting.transformer import Transformer

Model = Architecture | Transformer | Lstm | Convolutional


def take_inventory(model: Model) -> Inventory:
    """Take any model apart into weights by group and attention products.

    >>> parts = take_inventory(Architecture(n_layer=12, d_model=768)).parts
    >>> {part.group: part.n_params for part in parts}["attention"]
    28311552
    """
    if isinstance(model, Lstm):
        return lstm.inventory_of(model)
    if isinstance(model, Convolutional):
        return convolution.inventory_of(model)
    plain = Transformer(model) if isinstance(model, Architecture) else model
    return transformer.inventory_of(plain)
