"""Settings that `SummaryWriter.add_hparams` writes into a folder of its own below the run's.

Field numbers are those of TensorBoard's hparams/plugin_data.proto, of tensorflow's summary.proto
and of protobuf's struct.proto. Without this each such folder would be a run of one point.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from isoflop.exchange.foreign_json import Scalar
from isoflop.exchange.found import SourceRun
from isoflop.exchange.protobuf import Value, as_bytes, as_double, as_text, fields

_PLUGIN = b"hparams"
_EVENT_SUMMARY, _SUMMARY_VALUE, _VALUE_METADATA = 5, 1, 9
_METADATA_PLUGIN, _PLUGIN_NAME, _PLUGIN_CONTENT = 1, 1, 2
_SESSION_START, _HPARAMS, _KEY, _HELD = 3, 1, 1, 2
_NUMBER, _TEXT, _BOOL = 2, 3, 4


def read_settings(record: bytes) -> dict[str, Scalar]:
    """Return the settings in one event record, {} if it holds none.

    Raises:
        WireError: not an event.
    """
    settings: dict[str, Scalar] = {}
    if _PLUGIN not in record:
        return settings
    for summary in _all(record, _EVENT_SUMMARY):
        for value in _all(summary, _SUMMARY_VALUE):
            for metadata in _all(value, _VALUE_METADATA):
                for plugin in _all(metadata, _METADATA_PLUGIN):
                    settings.update(_of_plugin(plugin))
    return settings


def join_settings(
    runs: Mapping[Path, SourceRun], settings: Mapping[Path, Mapping[str, Scalar]]
) -> list[SourceRun]:
    """Put the settings of each folder to its run, or to that of the folder above.

    Args:
        runs: {folder: its run}.
        settings: {folder: settings written there}.
    """
    joined = dict(runs)
    for folder, cells in settings.items():
        home, own = folder, runs[folder]
        if cells and folder.parent in joined:
            home = folder.parent
            last = {n: float(c.value[-1]) for n, c in own.curves.items() if len(c.value)}
            cells = {**last, **cells}
            del joined[folder]
        joined[home] = replace(joined[home], settings={**cells, **joined[home].settings})
    return [run for run in joined.values() if run.curves]


def _of_plugin(plugin: bytes) -> dict[str, Scalar]:
    if _all(plugin, _PLUGIN_NAME) != [_PLUGIN]:
        return {}
    settings: dict[str, Scalar] = {}
    for content in _all(plugin, _PLUGIN_CONTENT):
        for start in _all(content, _SESSION_START):
            for entry in _all(start, _HPARAMS):
                key = "".join(as_text(name) for name in _all(entry, _KEY))
                for held in _all(entry, _HELD):
                    settings[key] = _scalar(held)
    return settings


def _scalar(message: bytes) -> Scalar:
    for number, value in fields(message):
        if number == _NUMBER:
            return as_double(value)
        if number == _TEXT:
            return as_text(value)
        if number == _BOOL:
            return bool(value)
    return None


def _all(message: bytes, wanted: int) -> list[bytes]:
    """Every value of one length-delimited field."""
    found: list[tuple[int, Value]] = list(fields(message))
    return [as_bytes(value) for number, value in found if number == wanted]
