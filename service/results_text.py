"""The results page in words: every sentence and figure of it comes from the document beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from .pages.numbers import shown

Row = Mapping[str, Any]
TARGET_SHARPE, TARGET_FALL = 1.5, 0.10
OVERVIEW = (
    "data",
    "days",
    "net a year",
    "Sharpe, 95 %",
    "over bills, 95 %",
    "deflated",
    "over bills, deflated",
    "largest fall",
    "1/N",
    "60/40",
    "less 1/N, 95 %",
    "among random",
)
STUDY = {
    "us20+bond": ("0.96", "0.62", "1.31", "7.5 %"),
    "market+bond": ("0.77", "0.42", "1.14", "7.7 %"),
    "market": ("0.51", "0.17", "0.89", "7.5 %"),
}
"""Of the default policy over 1992-2022, above bills, net of 7 bp: what the design study found, and what it promised."""


def results_text(document: Row) -> str:
    """The page as Markdown."""
    sets: Sequence[Row] = document["sets"]
    parts = [
        "# What the default desk is worth",
        f"Made by `parley eval results`; document `{document['id']}`, settings `{document['settings_hash'][:12]}`, "
        f"limits `{document['limits_hash'][:12]}`. Edit neither this page nor its twin.",
        _verdict(sets, document["trials"]),
        "## All data sets",
        _overview(sets),
        OVERVIEW_NOTE,
        "## Beside the design study",
        _study(sets),
        STUDY_NOTE,
        *_choices(document["choices"], document["trials"]),
        *(_set(item) for item in sets),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


OVERVIEW_NOTE = (
    "The desk decides at a close and trades through the next session, net of fees, spread and impact; cash earns "
    "nothing. With cash at zero a bond is credited with the bill that cash would have earned, so where there is one "
    "read *over bills*: there cash earns the bill, and what is invested must beat it. 1/N and 60/40 are Sharpe ratios "
    "on the same days; *less 1/N* is ours less that over bills, days drawn in pairs. *Among random* is the share "
    "of 200 agents without skill, of the same exposure, turnover and costs, whose Sharpe ratio was below ours: it "
    "judges the choice of names, for they share our timing. *Deflated* is the probability of beating the best of all "
    "counted trials."
)
STUDY_NOTE = (
    "Where the figures differ: this is the whole desk with whole shares, limits and votes, not the policy alone. It is "
    "a cash account (gross exposure at most 1, there 1.5), its limits tighten with regime, drawdown and volatility, "
    "and a fund or bond may have at most 60 % of equity. The bond's curve ends in March 2017, before bonds fell "
    "(there: a fund until 2022), and it is priced with its roll-down; costs are about 4 bp, there 7. The VIX that "
    "counts is the evening before's."
)


def _verdict(sets: Sequence[Row], trials: Row) -> str:
    ratios = {item["name"]: _ratio(item["figures"]) for item in sets}
    falls = {item["name"]: item["figures"]["max_drawdown"]["value"] for item in sets}
    inside = [name for name, fall in falls.items() if fall < TARGET_FALL]
    worst = max(falls, key=lambda name: falls[name])
    above = [name for name, item in ratios.items() if item["low"] is not None and item["low"] > TARGET_SHARPE]
    known = [name for name in ratios if ratios[name]["value"] is not None]
    best = max(known, key=lambda name: ratios[name]["value"], default="")
    highest = f" The highest estimate is {_interval(ratios[best])} on `{best}`." if best else ""
    above_text = ", ".join(above) if above else "on none of them"
    missed = "" if len(inside) == len(sets) else f" Not met on {', '.join(sorted(set(falls) - set(inside)))}."
    better = _shown_on(sets)
    return "\n".join(
        [
            f"- **A Sharpe ratio above {TARGET_SHARPE} is shown {above_text}**: shown would mean that the whole "
            f"interval lies above it.{highest}",
            f"- **A largest drawdown below {shown(TARGET_FALL, 'frac', 0)}** since inception, at closes: met on "
            f"{len(inside)} of {len(sets)} data sets; the worst is {shown(falls[worst], 'frac')} on `{worst}`.{missed}",
            f"- {trials['count']:,} configurations have been looked at, the design study's included "
            "(`evals/trials.jsonl`); each deflated ratio counts them all.",
            f"- A Sharpe ratio above that of 1/N on the same days is shown {better}; "
            "what there is comes from holding less when markets are wild and from a second asset class, and on chosen "
            "names from hindsight in their choice: see the survivorship note of each data set.",
        ]
    )


def _choices(choices: Sequence[Row], trials: Row) -> tuple[str, ...]:
    """How overfit a choice among the configurations is whose returns are kept, and how many of them that leaves out."""
    several = [item for item in choices if item["kept"] > 1]
    kept = sum(item["kept"] for item in choices)
    said = (
        f"Of the {trials['count']:,} counted configurations the daily returns of {kept} are kept in the book; those of "
        f"the other {trials['count'] - kept} were not, and what they would show is not known. "
        "Only what was tried on the same days is one choice; the probability is that the best of them on half the days "
        "is below their middle on the rest (CSCV), and with so few of all it bounds nothing."
    )
    rows = [
        [f"`{item['data']}`", item["first"], item["last"], f"{item['days']:,}", str(item["kept"]),
         "not given" if item["overfit"] is None else shown(item["overfit"], "frac")]
        for item in several
    ]  # fmt: skip
    header = ("data", "first day", "last day", "days", "configurations", "overfit")
    return ("## An overfit choice", *((_table(header, rows),) if rows else ()), said)


def _ratio(figures: Row) -> Row:
    """Over bills where their file is at hand, else with cash at zero."""
    over = figures.get("sharpe_over_bills")
    return figures["sharpe"] if over is None or over["value"] is None else over


def _gap(figures: Row) -> Row | None:
    """Ours less 1/N, over bills where their file is at hand."""
    return figures.get("sharpe_over_bills_minus_equal_weight", figures.get("sharpe_minus_equal_weight"))


def _shown_on(sets: Sequence[Row]) -> str:
    """Where the whole interval of ours less 1/N lies above zero."""
    gaps = {item["name"]: _gap(item["figures"]) for item in sets}
    found = [name for name, gap in gaps.items() if gap is not None and gap["low"] is not None and gap["low"] > 0.0]
    return "on " + ", ".join(f"`{item}`" for item in found) if found else "on none of them"


def _overview(sets: Sequence[Row]) -> str:
    rows: list[list[str]] = []
    for item in sets:
        figures = item["figures"]
        rows.append(
            [
                f"`{item['name']}`",
                f"{figures['annual_return_net']['n']:,}",
                _one(figures, "annual_return_net"),
                _interval(figures["sharpe"]),
                _interval(figures.get("sharpe_over_bills")),
                _one(figures, "deflated_sharpe"),
                _one(figures, "deflated_sharpe_over_bills"),
                _one(figures, "max_drawdown"),
                _rival(item, "equal_weight"),
                _rival(item, "sixty_forty"),
                _interval(_gap(figures)),
                _one(figures, "sharpe_percentile_of_random", 0),
            ]
        )
    return _table(OVERVIEW, rows)


def _study(sets: Sequence[Row]) -> str:
    by_name = {item["name"]: item["figures"] for item in sets}
    rows = [
        [f"`{name}`", f"{ratio} [{low}, {high}]", fall, _interval(by_name[name].get("sharpe_over_bills")),
         _interval(by_name[name]["sharpe"]), _one(by_name[name], "max_drawdown")]
        for name, (ratio, low, high, fall) in STUDY.items()
        if name in by_name
    ]  # fmt: skip
    header = ("data", "study: over bills", "study: fall", "desk: over bills", "desk: cash at zero", "desk: fall")
    return _table(header, rows) if rows else ""


def _set(item: Row) -> str:
    card, tables = item["card"], item["tables"]
    head = (
        f"## `{item['name']}`\n\n{card['source']}; {card['licence']}; {card['first']} to {card['last']}; fingerprint "
        f"`{card['fingerprint'][:12]}`. Model: {card['model_window']}."
    )
    notes = "\n".join(
        f"- {note}" for note in item["notes"] if "register of trials" not in note and "this line" not in note
    )
    sections = [
        f"### {title}\n\n{_own_table(tables[title])}\n\n{tables[title]['note']}"
        for title in (
            "On the same days",
            "Against ours, and over bills",
            "By crisis",
            "By regime",
            "By year",
            "Value at risk",
            "Random agents",
        )
        if title in tables
    ]
    faults = "".join(f"\n- **Not passed**: {failure['sample']}: {failure['reason']}" for failure in item["failures"])
    return "\n\n".join([head, notes + faults, _own_figures(item["figures"]), *sections])


def _own_figures(figures: Row) -> str:
    names = (
        "annual_return_gross", "annual_return_net", "annual_volatility", "sharpe", "sharpe_studentized", "psr",
        "pbo_of_choice", "sortino", "longest_under_water_days", "gross_exposure", "turnover", "cost", "break_even_cost",
        "days_needed",
        "decisions", "orders", "vetoes", "abstentions", "failed_answers",
    )  # fmt: skip
    rows = [
        [name.replace("_", " "), _interval(figures[name]) if figures[name]["low"] is not None else _one(figures, name),
         figures[name]["note"]]
        for name in names
        if name in figures
    ]  # fmt: skip
    return _table(("figure", "value", ""), rows)


def _own_table(table: Row) -> str:
    rows = [[_cell(cell, unit) for cell, unit in zip(row, table["units"], strict=True)] for row in table["rows"]]
    return _table([name.replace("_", " ") for name in table["header"]], rows)


def _cell(value: Any, unit: str) -> str:
    if isinstance(value, str):
        return value.replace("_", " ")
    return "" if value is None else shown(value, unit or "num")


def _one(figures: Row, name: str, digits: int | None = None) -> str:
    found = figures.get(name)
    return "" if found is None or found["value"] is None else shown(found["value"], found["unit"], digits)


def _interval(found: Row | None) -> str:
    if found is None or found["value"] is None:
        return "not given"
    value, low, high = (shown(found[name], found["unit"]) if found[name] is not None else "?" for name in ENDS)
    return f"{value} [{low}, {high}]"


ENDS = ("value", "low", "high")


def _rival(item: Row, name: str) -> str:
    table = item["tables"]["On the same days"]
    column = table["header"].index("Sharpe")
    value = next((row[column] for row in table["rows"] if row[0] == name), None)
    return "" if value is None else shown(value, "ratio")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
