import dataclasses
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.accounting.convolution import Convolutional  # noqa: E402
from isoflop.accounting.families import Model  # noqa: E402
from isoflop.accounting.lstm import Lstm  # noqa: E402
from isoflop.base.errors import SpecError  # noqa: E402
from isoflop.lab.engines.engine import Engine  # noqa: E402
from isoflop.lab.engines.probe import Probe  # noqa: E402
from isoflop.lab.price import memory  # noqa: E402
from isoflop.lab.price.memory import PROCESS_BYTES, available_bytes, rung_bytes  # noqa: E402
from isoflop.lab.price.price import price_ladder  # noqa: E402
from isoflop.lab.progress.progress import Silent  # noqa: E402
from isoflop.lab.training import run_ladder  # noqa: E402
from isoflop.runs.ladders.ladder import Ladder, Recipe, Rung  # noqa: E402

PROBE = Probe("cpu", "float32", 1e11, 2)


def gpt(d: int, layers: int, n_ctx: int, n_vocab: int = 256) -> Architecture:
    return Architecture(
        n_layer=layers, d_model=d, n_head=max(1, d // 64), n_ctx=n_ctx, n_vocab=n_vocab,
        tied=False, positions="rotary",
    )  # fmt: skip


# Peaks above that of the imports, MiB, of a process that trained two steps, copied the state
# twice, packed a checkpoint and read 16,384 held-out tokens: model, batch, models, type.
MEASURED: list[tuple[Model, int, int, str, float]] = [
    (gpt(256, 4, 128), 4096, 4, "float32", 1820),
    (gpt(256, 4, 128), 4096, 4, "bfloat16", 1334),
    (gpt(64, 2, 64), 1024, 32, "float32", 571),
    (gpt(128, 2, 1024), 2048, 1, "float32", 311),
    (gpt(512, 8, 64), 512, 1, "bfloat16", 2150),
    (Lstm(4, 256, 256, 256, tied=False, n_ctx=128), 4096, 4, "float32", 948),
    (Convolutional(4, 256, 3, n_vocab=256, n_ctx=128, tied=False), 4096, 4, "float32", 883),
]


@pytest.mark.parametrize(("model", "batch", "models", "precision", "mebibytes"), MEASURED)
def test_predicted_peaks_are_near_those_measured(
    model, batch, models, precision, mebibytes
) -> None:
    rung, recipe = Rung("r", model, models, (batch * 100,)), Recipe(batch_tokens=batch)
    predicted = (rung_bytes(rung, recipe, Engine(precision)) - PROCESS_BYTES) / 2**20
    assert 0.75 * mebibytes < predicted < 1.3 * mebibytes


def test_packs_need_less_room_than_one_pack() -> None:
    rung, recipe = Rung("r", gpt(64, 2, 64), 32, (102_400,)), Recipe(batch_tokens=1024)
    one, four = (rung_bytes(rung, recipe, Engine("float32", packs)) for packs in (1, 4))
    assert four < one


def ladder_of(*widths: int) -> Ladder:
    rungs = tuple(Rung(f"d{d}", gpt(d, 1, 64), 1, (8192,)) for d in widths)
    return Ladder("m", "sotu", "bytes", rungs, Recipe(precision="float32"))


def test_a_ladder_that_does_not_fit_is_refused_before_a_folder_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda device: 2.0**29)
    ladder = ladder_of(256, 64)
    message = (
        r"rungs: d256 takes about 0\.\d GiB, 0\.9 GiB with what trains beside it, 0\.5 GiB are "
        r"free; use fewer workers, fewer seeds"
    )
    with pytest.raises(SpecError, match=message.replace("0\\.9", r"0\.\d")):
        price_ladder(ladder, probe=PROBE)
    with pytest.raises(SpecError, match="fewer workers"):
        run_ladder(ladder, tmp_path / "s", workers=2, progress=Silent(), probe=PROBE)
    assert not (tmp_path / "s").exists()
    huge = dataclasses.replace(ladder, rungs=ladder_of(4096).rungs)
    with pytest.raises(SpecError, match=r"d4096 takes about \d+\.\d GiB, 0\.5 GiB are free; use f"):
        price_ladder(huge, probe=dataclasses.replace(PROBE, workers=1))


def test_a_small_ladder_fits_here() -> None:
    memory.check_memory(ladder_of(16), device="cpu", workers=1)


def test_free_memory_is_the_machines_within_the_containers_limit(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  16000 kB\nMemAvailable:   8000 kB\n")
    assert memory._machine_bytes(meminfo) == 8000 * 1024
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.stat").write_text("anon 400000\nfile 300000\n")
    assert memory._container_bytes(tmp_path) == 600_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._container_bytes(tmp_path) == float("inf")
    assert memory._machine_bytes(tmp_path / "none") == float("inf")
    assert available_bytes("cpu") > 2**20
