"""--figure: every command that has it leaves pictures and data, and overwrites nothing it reads."""

import json

import pytest

COMMANDS = {
    "OffOptimumFigure": ("size", "--flops", "1e21", "--law", "besiroglu-2024"),
    "RepeatsFigure": ("data", "--flops", "1e22", "--unique", "25B"),
    "DesignFigure": ("design", "--law", "besiroglu-2024", "--budget", "1e21", "--flops", "1e23"),
    "GrowthFigure": ("kaplan", "split"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_figure_is_drawn_and_its_data_lie_beside_it(isoflop, tmp_path, name: str) -> None:
    result = isoflop(*COMMANDS[name], "--figure", "chart", "--json")
    assert result.code == 0, result.err
    assert isinstance(result.document, dict)
    for suffix in ("png", "svg", "csv", "json"):
        assert f"written to chart.{suffix}" in result.err
        assert (tmp_path / f"chart.{suffix}").stat().st_size > 500
    assert json.loads((tmp_path / "chart.json").read_text())["figure"] == name


def test_kaplans_size_has_its_own_figure(isoflop, tmp_path) -> None:
    assert isoflop("kaplan", "size", "--figure", "chart", "--excess", "0.2").code == 0
    within = json.loads((tmp_path / "chart.json").read_text())["within"]
    assert within == pytest.approx([0.577, 2.183], abs=5e-4)


def test_a_plan_draws_the_growth_up_to_its_budget(isoflop, law: str, tmp_path) -> None:
    plan = ("plan", "--law", law, "--flops", "1e22")
    assert isoflop(*plan, "--since", "1e20", "--figure", "chart").code == 0
    layers = json.loads((tmp_path / "chart.json").read_text())["layers"]
    assert (layers[0]["x"][0], layers[0]["x"][-1]) == pytest.approx((1e20, 1e22))
    alone = isoflop(*plan, "--since", "1e20")
    assert (alone.code, alone.error) == (2, "--since begins a figure; give --figure PATH with it")


def test_a_figure_overwrites_no_file_that_is_read(isoflop, runs: str, law: str, tmp_path) -> None:
    before = {name: (tmp_path / name).read_bytes() for name in (runs, law)}
    for arguments in (
        ("plan", "--law", law, "--flops", "1e22", "--figure", "law"),
        ("size", "--law", law, "--flops", "1e22", "--figure", "law"),
        ("race", runs, runs, "--bootstrap", "0", "--figure", "runs"),
    ):
        result = isoflop(*arguments)
        assert result.code == 2
        assert "would overwrite" in result.err
    assert before == {name: (tmp_path / name).read_bytes() for name in (runs, law)}
