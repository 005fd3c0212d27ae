"""The whole report: its sections, its size, its secrets, its bytes."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from isoflop.plan.optimum.allocate import plan_from_fit
from isoflop.report.assemble import build_report, write_report
from isoflop.report.blocks import FigureBlock, Heading, Paragraph, Table
from isoflop.report.data_sections import data_section
from isoflop.report.evidence_sections import backtest_section
from isoflop.report.frontier_sections import conventions_section, frontier_section
from isoflop.report.html import render_html
from isoflop.report.markdown import render_markdown
from isoflop.report.study_report import StudyReport
from isoflop.runs.table import RunTable

SECTIONS = [
    "The compute-optimal frontier",
    "The law",
    "Loss against size, data and compute",
    "What to train with a larger budget",
    "Backtest: the largest runs hidden",
    "Learning curves",
    "Residuals",
    "Is it identified, or only fitted?",
    "Counting conventions and methods",
    "Findings",
    "Data and commands",
]
VOID = {"meta", "img", "br", "link", "input", "hr"}


@pytest.fixture(scope="module")
def document(study):
    return build_report(study)


@pytest.fixture(scope="module")
def page(document):
    return render_html(document)


def sections(document) -> list[str]:
    return [block.text for block in document.blocks if isinstance(block, Heading)]


class Balance(HTMLParser):
    """Collects tags that were opened and not closed, and every tag's name."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_full_study_has_every_section_in_order(document):
    assert sections(document) == SECTIONS


def test_the_page_is_well_formed_and_runs_nothing(page):
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert not balance.names & {"script", "iframe", "object", "embed", "form", "link", "base"}


def test_the_page_is_smaller_than_a_megabyte(page):
    assert len(page.encode()) < 1_000_000


def test_hostile_names_arrive_as_text(page, document):
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    twin = render_markdown(document)
    fenceless = re.sub(r"^(`{3,})text\n.*?\n\1$", "", twin, flags=re.S | re.M)
    assert re.search(r"(?<!\\)<script", fenceless) is None


def test_no_folder_of_the_machine_is_named(page, document):
    assert "secret" not in page
    assert "runs.csv" in page
    assert "secret" not in render_markdown(document)


def test_each_absent_input_leaves_its_section_out(study):
    absent = {
        "frontiers": ({}, {"The compute-optimal frontier"}),
        "curves": ((), {"Learning curves"}),
        "exponents": ({}, {"Counting conventions and methods"}),
        "plans": ((), set()),
        "identification": ((), {"Is it identified, or only fitted?"}),
        "backtest": (None, set()),
    }
    bare = replace(study, **{name: value for name, (value, _) in absent.items()})
    gone = set().union(*(names for _, names in absent.values()))
    assert sections(build_report(bare)) == [name for name in SECTIONS if name not in gone]


def test_a_table_alone_makes_a_report():
    rows = [{"n_params": 10.0**k, "loss": 4.0 / k} for k in (6, 7, 8)]
    study = StudyReport("t", RunTable.from_records(rows))
    assert sections(build_report(study)) == [
        "Loss against size, data and compute", "Data and commands",
    ]  # fmt: skip


def test_a_csv_and_a_fit_make_a_report_without_study(study):
    plans = (plan_from_fit(study.fit, 1e15),)
    plain = StudyReport("t", study.table, fit=study.fit, plans=plans)
    found = sections(build_report(plain))
    assert found[:3] == SECTIONS[1:4]
    assert "Learning curves" not in found


def test_every_parameter_and_plan_is_in_a_table(study, document):
    cells = {
        cell
        for block in document.blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
    }
    assert {str(estimate) for estimate in study.fit.params.values()} <= cells
    assert {str(plan.n_params) for plan in study.plans} <= cells
    assert {str(f.params["a"]) for f in study.frontiers.values()} <= cells


def test_each_figure_says_in_words_what_it_shows(document):
    figures = [block for block in document.blocks if isinstance(block, FigureBlock)]
    assert len(figures) == 6
    assert all(len(block.alt) > 20 and len(block.caption) > 20 for block in figures)


def test_the_report_is_the_same_each_time_and_brings_its_twin_figures_and_data(
    study, page, tmp_path
):
    written = write_report(study, tmp_path / "report.html")
    assert written[0] == tmp_path / "report.html"
    assert written[0].read_text(encoding="utf-8") == page
    twin = (tmp_path / "report.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\((report_figures/[^)]+)\)", twin)
    assert len(linked) == 6
    assert all((tmp_path / path).is_file() for path in linked)
    for suffix in (".svg", ".csv", ".json"):
        assert len(list((tmp_path / "report_figures").glob(f"*{suffix}"))) == 6


def words(blocks) -> str:
    return " ".join(block.text for block in blocks if isinstance(block, Paragraph))


def test_counts_are_said_to_differ_only_where_several_are_shown(study):
    assert "embeddings" in words(conventions_section(study))
    one = dict(list(study.frontiers.items())[:1])
    blocks = conventions_section(replace(study, frontiers=one))
    assert "embeddings" not in words(blocks)
    assert all("each count" not in block.caption for block in blocks if isinstance(block, Table))


def test_the_backtest_says_that_the_measured_run_is_the_one_it_would_have_chosen(study):
    text = words(backtest_section(study))
    measured = f"measured {study.backtest.chosen_measured:.4f}"
    assert "the run it would have chosen: " in text
    assert measured in text


def test_one_run_is_in_the_singular():
    rows = [{"n_params": 1e6, "loss": 4.0}]
    blocks = data_section(StudyReport("t", RunTable.from_records(rows)))
    assert words(blocks).startswith("1 run from")


def test_why_nothing_is_planned_stands_in_place_of_the_plans(study):
    bare = replace(study, plans=(), no_plan="none: a is known to ±0.30 only")
    page = render_html(build_report(bare))
    assert "No plan: a is known to ±0.30 only." in page
    assert "diamonds" not in page
    assert "diamonds" in render_html(build_report(study))


def test_the_minima_have_units_and_say_where_their_intervals_are(study):
    (table,) = [block for block in frontier_section(study) if isinstance(block, Table)]
    assert table.head == (
        "budget C (FLOPs)", "N* (parameters)", "D* (tokens)", "D*/N* (tokens per parameter)",
        "loss (nats/byte)",
    )  # fmt: skip
    assert "in the interval of a and the band of N*" in table.caption
