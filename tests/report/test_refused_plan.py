"""A report of runs that identify no optimum gives none: not in a table, a picture or a command."""

from dataclasses import replace

from isoflop.fitting.solve.solver import Outcome
from isoflop.report.assemble import build_report
from isoflop.report.blocks import FigureBlock, Paragraph, Table
from isoflop.report.frontier_sections import plan_section
from isoflop.report.law_sections import law_section

WHY = "none: the law is not identified: 2 sizes of N"


def test_the_plan_section_says_why_and_draws_no_optimum(study) -> None:
    blocks = plan_section(replace(study, plans=(), no_plan=WHY))
    said = [block.text for block in blocks if isinstance(block, Paragraph)]
    assert said == ["No plan: the law is not identified: 2 sizes of N."]
    assert not [block for block in blocks if isinstance(block, FigureBlock | Table)]
    assert "contours" in [b.name for b in plan_section(study) if isinstance(b, FigureBlock)]


def test_the_laws_table_says_whose_assumptions_give_a(study) -> None:
    (table, *_) = [b for b in law_section(replace(study, no_plan=WHY)) if isinstance(b, Table)]
    assert f"By the assumptions of {study.fit.law.name}: these runs identify no optimum" in (
        table.caption
    )
    assert all("no optimum" not in b.caption for b in law_section(study) if isinstance(b, Table))


def test_a_loss_is_per_what_the_runs_say(study) -> None:
    rows = [row for b in law_section(study) if isinstance(b, Table) for row in b.rows]
    assert next(row for row in rows if row[0] == "E")[2] == "nats/byte"
    assert build_report(study)


def test_constants_that_are_free_are_called_so(study) -> None:
    free = replace(study.fit, outcome=Outcome.UNIDENTIFIED)
    (table, *_) = [b for b in law_section(replace(study, fit=free)) if isinstance(b, Table)]
    assert all(row[1].endswith("(not determined by these runs)") for row in table.rows)
