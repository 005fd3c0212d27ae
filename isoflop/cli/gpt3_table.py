"""GPT-3's table of models: as printed, as counted, and which rows contradict themselves."""

from dataclasses import asdict

from isoflop.accounting.gpt3 import CountedRow, count_gpt3
from isoflop.cli.output import format_table


def gpt3_table() -> tuple[list[dict[str, object]], str]:
    """Every row: the JSON document, and the table for people."""
    counted = count_gpt3()
    header = [
        "model", "layers", "d_model", "heads", "d_head", "N printed", "N counted", "N non-emb.",
        "C printed", "C = 6ND", "PF-days", "C matmul, banded … dense",
    ]  # fmt: skip
    table = format_table(header, [_cells(each) for each in counted], right=range(1, len(header)))
    flaws = [f"! {each.row.name}: {each.flaw}" for each in counted if each.flaw]
    tail = [
        "· Brown et al. 2020, tables 2.1 and D.1; 300B tokens, n_ctx 2048, d_ff = 4·d_model",
        "· attention alternates dense and banded; the band is not printed, so C matmul is a range",
    ]
    return [_document(each) for each in counted], "\n".join([table, *flaws, *tail])


def _cells(each: CountedRow) -> list[str]:
    row = each.row
    return [
        row.name + (" !" if each.flaw else ""),
        str(row.n_layer),
        str(row.d_model),
        str(row.n_head),
        str(row.d_head),
        f"{row.n_params_counted / 1e6:,.0f}M",
        f"{each.n_params / 1e6:,.1f}M",
        f"{each.n_params_non_embedding / 1e6:,.1f}M",
        f"{row.flops:.2e}",
        f"{each.flops:.2e}",
        f"{each.pf_days:.3g}",
        f"{each.flops_matmul_least:.2e} … {each.flops_matmul:.2e}",
    ]


def _document(each: CountedRow) -> dict[str, object]:
    return {
        "name": each.row.name,
        "printed": asdict(each.row),
        "counted_as": asdict(each.architecture),
        "n_params": each.n_params,
        "n_params_non_embedding": each.n_params_non_embedding,
        "flops": each.flops,
        "pf_days": each.pf_days,
        "flops_matmul": each.flops_matmul,
        "flops_matmul_least": each.flops_matmul_least,
        "consistent": each.flaw is None,
        "flaw": each.flaw,
    }
