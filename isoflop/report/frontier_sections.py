"""Sections on the compute-optimal frontier, the plans and the counting conventions."""

from isoflop.base.errors import RefusalError
from isoflop.base.estimate import Estimate, shorten
from isoflop.draw.contours import contours_figure, draw_contours
from isoflop.draw.isoflop_valleys import draw_isoflop, isoflop_figure
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.plan.optimum.plan import Plan
from isoflop.report.blocks import Block, FigureBlock, Heading, Paragraph, Table
from isoflop.report.pictures import picture
from isoflop.report.study_report import StudyReport


def frontier_section(study: StudyReport) -> tuple[Block, ...]:
    """The valleys, their minima, and N* against C under each convention."""
    if study.main_frontier is None:
        return ()
    name, frontier = study.main_frontier
    figure = isoflop_figure(
        frontier, conventions=study.frontiers, reach=10, labels=study.axis_labels
    )
    a = frontier.params["a"]
    usable = len(frontier.points)
    read = f"{usable} of {len(frontier.valleys)} minima used" if frontier.valleys else "envelope"
    caption = (
        f"IsoFLOP valleys (N counted as {name}; {read}) and the compute-optimal size N* with "
        f"{_percent(frontier.level)} bands. Beside each valley its budget C in FLOPs."
    )
    if any(valley.verdict for valley in frontier.valleys):
        caption += " Hollow points and dotted curves are budgets whose minimum was not used."
    alt = f"N* grows as C to the {a}; optima at {_list(frontier.points.flops.tolist())} FLOPs"
    drawn = picture("isoflop-valleys", figure, draw_isoflop(figure), caption=caption, alt=alt)
    return (Heading("The compute-optimal frontier"), drawn, *_optima(study, frontier))


_COUNTS_DIFFER = (
    "Small models carry much of their size in embeddings and head, so the exponent depends on "
    "what is counted; state the count with the number."
)


def conventions_section(study: StudyReport) -> tuple[Block, ...]:
    """The exponent under each count of N and by each method."""
    blocks: list[Block] = []
    if study.frontiers:
        rows = tuple(
            (name, str(f.params["a"]), str(f.params["b"]), str(len(f.points)))
            for name, f in study.frontiers.items()
        )
        head = ("N counted as", "a of N* ∝ C^a", "b of D* ∝ C^b", "optima")
        several = "The same runs under each count of parameters." if len(rows) > 1 else ""
        blocks.append(Table(head, rows, several))
    if study.exponents:
        rows = tuple((name, str(a)) for name, a in study.exponents.items())
        count = study.main_convention or "recorded"
        caption = f"The exponent by method, N counted as {count}, over the measured budgets."
        blocks.append(Table(("method", "a of N* ∝ C^a"), rows, caption))
    if not blocks:
        return ()
    if len(study.frontiers) > 1:
        blocks.insert(0, Paragraph(_COUNTS_DIFFER))
    return (Heading("Counting conventions and methods"), *blocks)


def plan_section(study: StudyReport) -> tuple[Block, ...]:
    """Loss contours with the frontier and the plans, and the plans as a table."""
    blocks: list[Block] = []
    drawn = _contours(study)
    if drawn:
        blocks.append(drawn)
    if study.plans:
        amounts = ("N* (parameters)", "D* (tokens)", "D*/N*", "mean loss", "loss of one run")
        head = ("budget (FLOPs)", "law", *amounts)
        caption = f"Plans. {_covers(study.plans)}"
        blocks.append(Table(head, tuple(_plan_row(plan) for plan in study.plans), caption))
        blocks += [Paragraph(f"{note}.") for note in _plan_notes(study.plans)]
    elif study.no_plan:
        blocks.append(Paragraph(f"No plan: {study.no_plan.removeprefix('none: ')}."))
    return (Heading("What to train with a larger budget"), *blocks) if blocks else ()


def _plan_notes(plans: tuple[Plan, ...]) -> list[str]:
    """Each note once, with the plans it is about."""
    about: dict[str, list[str]] = {}
    for plan in plans:
        for note in plan.notes:
            about.setdefault(note, []).append(f"{plan.law} at {shorten(plan.flops)}")
    return [
        note if len(who) >= len(plans) else f"{note} ({', '.join(who)})"
        for note, who in about.items()
    ]


def _contours(study: StudyReport) -> FigureBlock | None:
    fit = study.fit
    if fit is None or study.no_plan or set(fit.law.variables) != {"n_params", "n_tokens"}:
        return None
    plans = [plan for plan in study.plans if plan.law == fit.law.name]
    try:
        figure = contours_figure(
            fit, study.table, plans=plans, cost=study.cost, labels=study.axis_labels
        )
    except RefusalError:
        return None
    diamonds = ", and the plans (diamonds)" if plans else ""
    caption = (
        f"Loss contours of the {fit.law.name} form, the runs (grey), its compute-optimal size "
        f"with {_percent(fit.level)} band{diamonds}. Compute is {figure.cost}."
    )
    alt = f"Contours of equal loss over compute and parameters by {fit.law.name}"
    return picture("contours", figure, draw_contours(figure), caption=caption, alt=alt)


_MINIMA = (
    "Minima of the valleys, each by its own parabola. What their scatter leaves open is in the "
    "interval of a and the band of N*."
)


def _optima(study: StudyReport, frontier: Frontier) -> tuple[Table, ...]:
    """The minima as a table; an envelope has none but a point at every compute."""
    if not frontier.valleys:
        return ()
    points = frontier.points
    head = (
        "budget C (FLOPs)",
        "N* (parameters)",
        "D* (tokens)",
        "D*/N* (tokens per parameter)",
        study.axis_labels.loss,
    )
    columns = (points.flops, points.n_params, points.n_tokens, points.loss)
    rows = tuple(
        (shorten(c), shorten(n), shorten(d), shorten(d / n), f"{loss:.4f}")
        for c, n, d, loss in zip(*(column.tolist() for column in columns), strict=True)
    )
    return (Table(head, rows, _MINIMA),)


def _plan_row(plan: Plan) -> tuple[str, ...]:
    amounts = (plan.n_params, plan.n_tokens, plan.tokens_per_param, plan.loss)
    one_run = str(plan.run_loss) if plan.run_loss else ""
    return (shorten(plan.flops), plan.law, *(_known(amount) for amount in amounts), one_run)


def _covers(plans: tuple[Plan, ...]) -> str:
    """What the intervals of both losses cover, each wording once with the laws it is about."""
    said: dict[str, list[str]] = {}
    for plan in plans:
        said.setdefault(f"mean loss: {plan.loss_covers}", []).append(plan.law)
        if plan.run_loss:
            said.setdefault(f"loss of one run: {plan.run_covers}", []).append(plan.law)
    parts = [f"{words} ({', '.join(dict.fromkeys(laws))})" for words, laws in said.items()]
    return f"{_percent(plans[0].loss.level)} intervals: {'; '.join(parts)}."


def _known(amount: Estimate) -> str:
    return "unknown" if amount.value != amount.value else str(amount)


def _percent(level: float) -> str:
    return f"{100 * level:.0f}\u00a0%"


def _list(values: list[float]) -> str:
    shown = [shorten(value, digits=2) for value in values]
    return ", ".join(shown if len(shown) < 8 else [*shown[:3], "…", shown[-1]])
