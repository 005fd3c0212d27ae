"""Public run tables as this project reads them; the files are not part of it.

Expected under one folder, a folder a source; see docs/reproductions/backtests.md for where they
come from. A source that is not there is left out.
"""

import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from isoflop.runs.cells import Cell
from isoflop.runs.drop import drop_highest_loss
from isoflop.runs.table import RunTable

CHINCHILLA_CUTS = (1.2e20, 3.6e20, 1.2e21)
MOE_BATCH_TOKENS = 256 * 2048
"""Tokens a step of Clark et al. 2022: 256 sequences of 2,048."""
Line = dict[str, str]


@dataclass(frozen=True)
class PublicTable:
    """Runs of one recipe.

    Args:
        name: source/recipe.
        law: form they are fitted with.
        runs: with flops.
        cuts: computes at which it is divided; quantiles if empty.
    """

    name: str
    law: str
    runs: RunTable
    cuts: tuple[float, ...] = ()


def public_tables(data: Path) -> Iterator[PublicTable]:
    """Read every table that is there."""
    for read in (_chinchilla, _package, _repeated, _over_training, _porian, _step_law, _routed):
        try:
            yield from read(data)
        except FileNotFoundError:
            continue


def _chinchilla(data: Path) -> Iterator[PublicTable]:
    lines = _lines(data / "chinchilla-epoch" / "svg_extracted_data.csv")
    rows: list[dict[str, Cell]] = []
    for line in lines:
        N, C = float(line["Model Size"]), float(line["Training FLOP"])
        rows.append(_row(N, C / 6 / N, float(line["loss"]), C))
    every = RunTable.from_records(rows, source="svg_extracted_data.csv")
    kept = drop_highest_loss(every, 5)
    yield PublicTable("chinchilla/240", "chinchilla", kept, CHINCHILLA_CUTS)
    yield PublicTable("chinchilla/245", "chinchilla", every, CHINCHILLA_CUTS)


def _package(data: Path) -> Iterator[PublicTable]:
    lines = _lines(data / "chinchilla-package" / "df.csv")
    table = _table(lines, "N", "D", "loss", "C")
    yield PublicTable("chinchilla/package", "chinchilla", table, CHINCHILLA_CUTS)


def _repeated(data: Path) -> Iterator[PublicTable]:
    for file, name in (("runs_N_D_U_loss_182.csv", "182"), ("runs_N_D_U_loss.csv", "296")):
        lines = _lines(data / "datablations" / file)
        yield PublicTable(f"repeats/{name}", "repeated", _table(lines, "params", "tokens", "loss"))
        once = [line for line in lines if float(line["tokens"]) <= float(line["unique_tokens"])]
        table = _table(once, "params", "tokens", "loss")
        yield PublicTable(f"repeats/{name}-one-epoch", "chinchilla", table)


def _over_training(data: Path) -> Iterator[PublicTable]:
    lines = _lines(data / "over-training" / "runs_table.csv")
    for corpus in ("c4_original", "rpj", "rw_original"):
        for column, name in (("loss:eval_data/c4_val", "c4"), ("loss:val_tok_mult/openlm", "open")):
            mine = [line for line in lines if line["dataset"] == corpus and line[column]]
            table = _table(mine, "params", "tokens", column)
            yield PublicTable(f"over-training/{corpus}-{name}", "chinchilla", table)


def _porian(data: Path) -> Iterator[PublicTable]:
    keys = ("file", "dataset", "hparams", "warmup", "decay", "param_count", "val")
    recipes: dict[str, list[Line]] = {}
    for line in _lines(data / "porian" / "isoflop_points.csv"):
        parts = [line["file"].removeprefix("summary_df")[1:5], *(line[key][:5] for key in keys[1:])]
        recipes.setdefault("-".join(filter(None, parts)), []).append(line)
    for name, lines in recipes.items():
        yield PublicTable(f"porian/{name}", "chinchilla", _table(lines, "n", "t", "loss", "flops"))


def _step_law(data: Path) -> Iterator[PublicTable]:
    best: dict[tuple[str, str], Line] = {}
    for line in _lines(data / "step-law" / "dense_lr_bs_loss.csv"):
        if not line["loss"]:
            continue
        key = (line["N"], line["D"])
        if key not in best or float(line["loss"]) < float(best[key]["loss"]):
            best[key] = line
    yield PublicTable("step-law/best", "chinchilla", _table(list(best.values()), "N", "D", "loss"))


def _routed(data: Path) -> Iterator[PublicTable]:
    lines = _lines(data / "routed-moe" / "curves.csv.gz")
    for router in ("Dense", "S-Base", "Hash", "RL-R"):
        for experts in ("1", "8", "64"):
            mine = [line for line in lines if _plain_routing(line, router, experts)]
            if len(mine) < 30:
                continue
            rows = [_routed_row(line) for line in mine]
            table = RunTable.from_records(rows, source="curves.csv.gz")
            yield PublicTable(f"routed/{router}-{experts}", "chinchilla", table)


def _plain_routing(line: Line, router: str, experts: str) -> bool:
    return (
        line["router_type"] == router
        and line["num_experts"] == experts
        and line["k"] == "1"
        and line["flop_increase"] == "1.0"
        and int(line["step"]) > 0
        and line["loss_validation"] != ""
        and (router == "Dense" or float(line["routing_frequency"]) == 0.5)
    )


def _routed_row(line: Line) -> dict[str, Cell]:
    steps = float(line["step"])
    flops = steps * float(line["flops_per_step"])
    N, loss = float(line["dense_parameter_count"]), float(line["loss_validation"])
    return _row(N, steps * MOE_BATCH_TOKENS, loss, flops)


def _table(lines: Sequence[Line], params: str, tokens: str, loss: str, flops: str = "") -> RunTable:
    rows = []
    for line in lines:
        N, D = float(line[params]), float(line[tokens])
        row = _row(N, D, float(line[loss]), float(line[flops]) if flops else 6 * N * D)
        if "unique_tokens" in line:
            row["n_tokens_unique"] = min(float(line["unique_tokens"]), D)
        rows.append(row)
    return RunTable.from_records(rows)


def _row(N: float, D: float, loss: float, flops: float) -> dict[str, Cell]:
    return {"n_params": N, "n_tokens": D, "loss": loss, "flops": flops}


def _lines(path: Path) -> list[Line]:
    opener: Callable[..., object] = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:  # type: ignore[attr-defined]
        return list(csv.DictReader(file))  # type: ignore[arg-type]


def main() -> None:
    """Nothing to measure here: the tables of the other benchmarks."""
