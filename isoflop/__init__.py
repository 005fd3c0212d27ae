"""isoflop: the laboratory for neural scaling laws.

Every public name, on one screen; each is imported when first used, so that `import isoflop` and
the command line stay instant.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    # counting
    "Architecture": "isoflop.accounting.architecture",
    "Convolutional": "isoflop.accounting.convolution",
    "Experts": "isoflop.accounting.transformer",
    "Lstm": "isoflop.accounting.lstm",
    "Machine": "isoflop.accounting.cost",
    "Ratio": "isoflop.accounting.ratios",
    "Transformer": "isoflop.accounting.transformer",
    "convert_units": "isoflop.accounting.conversion",
    "count_active_params": "isoflop.accounting.params",
    "count_gpt3": "isoflop.accounting.gpt3",
    "count_groups": "isoflop.accounting.params",
    "count_params": "isoflop.accounting.params",
    "find_accelerator": "isoflop.accounting.hardware",
    "find_model": "isoflop.accounting.named",
    "flops_per_token": "isoflop.accounting.flops",
    "machine_of": "isoflop.accounting.cost",
    "price_compute": "isoflop.accounting.cost",
    # runs
    "Imported": "isoflop.exchange.imported",
    "PublishedTable": "isoflop.exchange.published.registry",
    "find_published_table": "isoflop.exchange.published.registry",
    "get_published": "isoflop.exchange.published.fetch",
    "published_runs": "isoflop.exchange.published.read",
    "published_table_names": "isoflop.exchange.published.registry",
    "export_runs": "isoflop.exchange.export",
    "attach_scores": "isoflop.exchange.attach_scores",
    "import_runs": "isoflop.exchange.import_runs",
    "Ladder": "isoflop.runs.ladders.ladder",
    "RunTable": "isoflop.runs.table",
    "derive_column": "isoflop.runs.table",
    "drop_highest_loss": "isoflop.runs.drop",
    "drop_runs": "isoflop.runs.drop",
    "keep_best_rate": "isoflop.runs.best_rate",
    "example_ladder": "isoflop.runs.designs.examples",
    "print_filled": "isoflop.runs.ladders.filled",
    "print_ladder": "isoflop.runs.ladders.print",
    "print_spec": "isoflop.runs.ladders.print",
    "read_ladder": "isoflop.runs.ladders.toml",
    "read_runs": "isoflop.exchange.run_tables",
    "write_runs": "isoflop.exchange.run_tables",
    # laws
    "FormulaLaw": "isoflop.laws.formula.formula",
    "find_form": "isoflop.laws.forms",
    "find_published": "isoflop.laws.catalog",
    "fix_constants": "isoflop.laws.fixed",
    "published_names": "isoflop.laws.catalog",
    "register_law": "isoflop.laws.registered",
    # fitting
    "FitSpec": "isoflop.fitting.parametric",
    "Objective": "isoflop.fitting.objective",
    "backtest": "isoflop.fitting.trials.backtest",
    "ScalingLawRegressor": "isoflop.fitting.regressor",
    "backtest_largest_budget": "isoflop.fitting.trials.backtest",
    "compare_laws": "isoflop.fitting.trials.compare",
    "find_break": "isoflop.fitting.trials.breaks",
    "fit": "isoflop.fitting.methods",
    "estimate_noise_scale": "isoflop.fitting.batch.noise_scale",
    "fit_critical_batch": "isoflop.fitting.batch.critical",
    "steps_to_losses": "isoflop.fitting.batch.crossings",
    "fit_observational": "isoflop.fitting.downstream.observational",
    "fit_two_step": "isoflop.fitting.downstream.two_step",
    "Task": "isoflop.fitting.downstream.task",
    "forecast_task": "isoflop.fitting.downstream.task",
    "foresee": "isoflop.fitting.foresight.foresight",
    "predict_loss": "isoflop.fitting.foresight.foresight",
    "predict_observational": "isoflop.fitting.downstream.observational",
    "predict_two_step": "isoflop.fitting.downstream.two_step",
    "rank_forms": "isoflop.fitting.trials.backtest",
    "read_fit": "isoflop.fitting.saved",
    "write_fit": "isoflop.fitting.saved",
    # deciding
    "check_runs": "isoflop.plan.checkup.examine",
    "compare_methods": "isoflop.plan.analysis.disagreement",
    "deadweight_compute": "isoflop.plan.optimum.deadweight",
    "race_runs": "isoflop.plan.race.race",
    "measure_sensitivity": "isoflop.plan.sensitivity.sensitivity",
    "find_crossing": "isoflop.plan.contradiction.crossing",
    "CrossingSpread": "isoflop.plan.contradiction.spread",
    "find_regime": "isoflop.plan.contradiction.regime",
    "read_mix": "isoflop.plan.contradiction.mixture",
    "recompute_crossings": "isoflop.plan.contradiction.recomputed",
    "use_mix": "isoflop.plan.contradiction.mixture",
    "design_ladder": "isoflop.plan.design.ladder",
    "ladder_of_runs": "isoflop.plan.design.as_ladder",
    "rank_next_runs": "isoflop.plan.design.next_run",
    "plan_budget": "isoflop.plan.optimum.choose",
    "predict_budget": "isoflop.plan.optimum.choose",
    "CenturySpec": "isoflop.plan.forecast.century",
    "OrdersSpec": "isoflop.plan.forecast.orders",
    "audit_slides": "isoflop.plan.forecast.audit",
    "exhaust_stocks": "isoflop.plan.forecast.reading",
    "forecast_century": "isoflop.plan.forecast.century",
    "measure_orders": "isoflop.plan.forecast.orders",
    "adjust_runs": "isoflop.plan.kaplan.adjust",
    "bound_overfitting": "isoflop.plan.kaplan.overfitting",
    "compare_stopping": "isoflop.plan.kaplan.stopping",
    "plan_batch": "isoflop.plan.kaplan.batch",
    "plan_batch_for_loss": "isoflop.plan.kaplan.batch",
    "plan_batch_from_runs": "isoflop.plan.kaplan.batch",
    "price_off_optimum": "isoflop.plan.lifetime.off_optimum",
    "price_wrong_size": "isoflop.plan.kaplan.wrong_size",
    "split_growth": "isoflop.plan.kaplan.split",
    "plan_repeats": "isoflop.plan.data.allocation",
    "price_data": "isoflop.plan.data.buying",
    "value_repeats": "isoflop.plan.data.worth",
    "plan_inference": "isoflop.plan.lifetime.inference",
    "price_over_training": "isoflop.plan.lifetime.over_training",
    "compare_tuning": "isoflop.plan.tuning.side_by_side",
    # training
    "Study": "isoflop.store.study",
    "archive_study": "isoflop.store.archive.archive",
    "list_runs": "isoflop.store.index.listing",
    "migrate_study": "isoflop.store.layout",
    "restore_study": "isoflop.store.archive.restore",
    "record": "isoflop.store.recording.record",
    "tabulate_studies": "isoflop.store.tables.tables",
    "bracket_rates": "isoflop.lab",
    "price_ladder": "isoflop.lab",
    "get_corpus": "isoflop.lab.data.get",
    "list_corpora": "isoflop.lab.data.listing",
    "Limits": "isoflop.store.spent",
    "prepare_study": "isoflop.lab",
    "run_ladder": "isoflop.lab",
    "train_one_rung": "isoflop.lab",
    "show_corpus": "isoflop.lab.data.listing",
    "tour_ladder": "isoflop.lab",
    # showing
    "Stated": "isoflop.fitting.checklist",
    "state_fit": "isoflop.fitting.checklist",
    "report_fit": "isoflop.report.fit_report",
    "report_runs": "isoflop.report.study",
    "report_study": "isoflop.report.study",
    "run_tour": "isoflop.report.tour",
    # errors
    "InputError": "isoflop.base.errors",
    "IsoflopError": "isoflop.base.errors",
    "RefusalError": "isoflop.base.errors",
    "Estimate": "isoflop.base.estimate",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:
    from isoflop.accounting.architecture import Architecture as Architecture


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'isoflop' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
