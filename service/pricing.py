"""The `price` command: one option with all its Greeks, an implied volatility, or a whole chain with a page."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np

from ..desk.errors import SettingsInvalid
from ..domain.canonical import content_hash, short_id
from ..quant.black_scholes import OptionKind
from ..tools.chain_rows import Chain
from ..tools.chain_volume import chain_flow, unusual_contracts
from ..tools.chains import calendar_check, read_expiry
from ..tools.ledger import Ledger
from ..tools.pricing import (
    GREEK_UNITS,
    TIMELESS,
    Contract,
    american_price,
    implied_vol,
    option_greeks,
    parity_partner,
    price_option,
)
from .chain_files import read_chain
from .console import Console
from .pages.chain import chain_page
from .pages.twin import Fact, Twin
from .reports import Report, write_report

BOUNDS = {
    "spot": (1e-6, 1e12, "a price above 0"),
    "strike": (1e-6, 1e12, "a price above 0"),
    "years": (1e-6, 100.0, "years above 0; an expired option is worth its payoff and needs no model"),
    "vol": (1e-4, 10.0, "a fraction a year such as 0.25, from 0.0001 to 10"),
    "market": (1e-9, 1e12, "a price above 0"),
    "rate": (-1.0, 1.0, "a fraction a year such as 0.03"),
    "dividend-yield": (-1.0, 1.0, "a fraction a year such as 0.01"),
}
"""What each number may be: percents given for fractions, and dead options, are refused before any formula."""


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """The options of `price`: one contract with `vol` or `market`, or else a file of a chain."""

    kind: str | None
    spot: float | None
    strike: float | None
    years: float | None
    rate: float
    vol: float | None
    dividend_yield: float
    market: float | None
    american: bool
    chain: Path | None
    as_of: str | None
    out: Path | None
    book: Path


def perform_price(request: PriceRequest, console: Console) -> None:
    if request.chain is None:
        _price_one(request, console)
    else:
        _price_chain(request, request.chain, console)


def _price_one(request: PriceRequest, console: Console) -> None:
    contract = _contract(request)
    ledger = Ledger(TIMELESS, content_hash("terms of the command line"))
    implied = None
    if request.market is not None:
        implied = implied_vol(ledger, contract, request.market, american=request.american)
    vol = implied["vol"] if implied else request.vol
    assert vol is not None, "checked: either a volatility or a market price"
    document: dict[str, object] = {
        "contract": asdict(contract),
        "vol": vol,
        **price_option(ledger, contract, vol),
        "greeks": option_greeks(ledger, contract, vol)["by_unit"],
        "units": {name: unit for name, (unit, _, _) in GREEK_UNITS.items()},
        "parity": parity_partner(ledger, contract, vol),
        "implied_vol": implied,
        "american": american_price(ledger, contract, vol) if request.american else None,
    }
    entries = {entry.tool: entry for entry in ledger.entries}
    console.result(document | {"evidence": {tool: entry.id for tool, entry in entries.items()}})
    _print_one(console, contract, vol, {tool: Fact(entry.output, entry.id) for tool, entry in entries.items()})


def _contract(request: PriceRequest) -> Contract:
    """The terms, each checked; missing ones are named together."""
    needed = {"spot": request.spot, "strike": request.strike, "years": request.years}
    missing = [f"--{name}" for name, value in needed.items() if value is None]
    missing = missing if request.kind else ["call or put", *missing]
    if missing:
        raise SettingsInvalid(
            f"{', '.join(missing)} missing",
            remedy="For example: parley price call --spot 100 --strike 105 --years 0.5 --vol 0.25; or --chain FILE.",
        )
    kinds: dict[str | None, OptionKind] = {"call": "call", "put": "put"}
    if request.kind not in kinds:
        raise SettingsInvalid(f"{request.kind!r} is no kind of option", remedy="Give call or put.")
    if (request.vol is None) == (request.market is None):
        found = "neither --vol nor --market" if request.vol is None else "both --vol and --market"
        raise SettingsInvalid(
            f"found {found}", remedy="Give --vol to get a price, or --market to get the implied volatility."
        )
    for name in ("as-of", "out"):
        if getattr(request, name.replace("-", "_")) is not None:
            raise SettingsInvalid(f"--{name} is for a chain", remedy=f"Add --chain FILE, or leave --{name} out.")
    given = needed | {"vol": request.vol, "market": request.market, "rate": request.rate}
    given["dividend-yield"] = request.dividend_yield
    numbers = {name: _within(name, value) for name, value in given.items() if value is not None}
    return Contract(
        kinds[request.kind],
        numbers["spot"],
        numbers["strike"],
        numbers["years"],
        numbers["rate"],
        numbers["dividend-yield"],
    )


def _within(name: str, value: float) -> float:
    low, high, wanted = BOUNDS[name]
    if not low <= value <= high:
        raise SettingsInvalid(f"--{name} {value:g} is out of range", remedy=f"Give {wanted}.")
    return value


def _price_chain(request: PriceRequest, path: Path, console: Console) -> None:
    _refuse_single_options(request)
    _within("rate", request.rate)
    chain = read_chain(path)
    day = _chosen_day(chain, request.as_of)
    today = chain.on(day)
    # A day has no zone here; its last second in UTC is after the close of every American exchange.
    ledger = Ledger(datetime.combine(day, time(23, 59, 59), UTC), content_hash(_chain_rows(chain, day)))
    living = np.unique(today.expiry[today.expiry > today.day])
    flow = chain_flow(ledger, today)
    reads = [read_expiry(ledger, today, expiry.item(), request.rate) for expiry in living]
    calendar = calendar_check(ledger, reads)
    unusual = unusual_contracts(ledger, chain, day)
    ident = short_id("chain", chain.underlying, day, request.rate, *(entry.id for entry in ledger.entries))
    twin = Twin("chain", ident)
    facts = twin.evidence([entry.model_dump(mode="json") for entry in ledger.entries])
    html_text = chain_page(twin, facts, chain.underlying, day.isoformat())
    report = Report(ident if request.out is None else request.out.stem, "chain", html_text, twin.data())
    html, json = write_report(report, request.book / "chains" if request.out is None else request.out.parent)
    console.result(
        {
            "id": ident,
            "underlying": chain.underlying,
            "as_of": day.isoformat(),
            "rate": request.rate,
            "flow": flow,
            "expiries": [read.output for read in reads],
            "calendar": calendar,
            "unusual": unusual,
            "html": str(html),
            "json": str(json),
        }
    )
    _print_chain(console, chain.underlying, day, facts)
    console.say(f"\nPage: {html}")


def _refuse_single_options(request: PriceRequest) -> None:
    singles = ("kind", "spot", "strike", "years", "vol", "market")
    given = [name for name in singles if getattr(request, name) is not None]
    given += ["american"] if request.american else []
    given += ["dividend-yield"] if request.dividend_yield else []
    if given:
        raise SettingsInvalid(
            f"{', '.join(given)} given with --chain",
            remedy="A chain brings its own terms, and its forwards hold the dividends: only --rate goes with it.",
        )


def _chosen_day(chain: Chain, as_of: str | None) -> date:
    """The day asked for; else the last on which some call and put with time left both traded."""
    days = np.unique(chain.day)
    if as_of is None:
        alive = chain.is_traded & (chain.expiry > chain.day)
        whole = np.intersect1d(chain.day[alive & chain.is_call], chain.day[alive & ~chain.is_call])
        if not len(whole):
            raise SettingsInvalid(
                "no day of the chain has both a traded call and a traded put", remedy="Give a chain with both sides."
            )
        return whole[-1].item()
    try:
        day = date.fromisoformat(as_of)
    except ValueError as error:
        raise SettingsInvalid(f"--as-of {as_of!r} is no day", remedy="Give it as YYYY-MM-DD.") from error
    if np.datetime64(day, "D") not in days:
        shown = ", ".join(str(item) for item in days[-8:])
        raise SettingsInvalid(f"--as-of {day}: the chain has no such day", remedy=f"Its last days are {shown}.")
    return day


def _chain_rows(chain: Chain, day: date) -> list[list[str]]:
    """What of the file was seen, for its fingerprint: rows up to the day, in file order."""
    seen = chain.where(chain.day <= np.datetime64(day, "D"))
    columns = (seen.day, seen.expiry, seen.strike, seen.is_call, seen.price, seen.volume, seen.open_interest, seen.spot)
    return [column.astype(str).tolist() for column in columns]


def _print_one(console: Console, contract: Contract, vol: float, found: dict[str, Fact]) -> None:
    console.say(
        f"{contract.kind} on {contract.spot:g}, strike {contract.strike:g}, {contract.years:g} years, "
        f"rate {contract.rate:.2%}, dividends {contract.dividend_yield:.2%}"
    )
    source = "implied by the market price" if "implied_vol" in found else "given"
    console.say(f"volatility {vol:.4%} ({source})\n")
    console.say(f"European value   {found['option_price']['price'].number():.6g}")
    if "american_price" in found:
        tree = found["american_price"]
        console.say(
            f"American value   {tree['price'].number():.6g}, of which early exercise "
            f"{tree['early_exercise'].number():.4g} ({tree['tree'].string()}, {tree['steps'].raw} steps)"
        )
    parity = found["parity_partner"]
    console.say(
        f"parity partner   {parity['kind'].string()} {parity['price'].number():.6g}; "
        f"call less put {parity['call_less_put'].number():.6g}"
    )
    sides = found["option_greeks"]["by_unit"], found["option_greeks"]["by_point"]
    rows = [
        (name, f"{sides[0][name].number():.6g}", unit, f"{sides[1][name].number():.6g}", point)
        for name, (unit, _, point) in GREEK_UNITS.items()
    ]
    console.table("Greeks of a long European position", ("Greek", "value", "unit", "quoted", "as"), rows)


def _print_chain(console: Console, name: str, day: date, facts: list[Fact]) -> None:
    console.say(f"Option chain of {name} on {day}")
    outputs = [(fact["tool"].string(), fact["output"]) for fact in facts]
    rows = [_expiry_line(output) for tool, output in outputs if tool == "option_expiry"]
    header = (
        "expiry",
        "days",
        "forward",
        "ATM vol",
        "25d skew",
        "move",
        "P/C vol",
        "P/C OI",
        "in smile",
        "rmse",
        "free",
    )
    console.table("expiries", header, rows)
    by_tool = dict(outputs)
    for row in by_tool["calendar_check"]["rows"].rows():
        if row.maybe("is_free") and not row["is_free"].raw:
            console.say(
                f"  {row['from'].raw} to {row['to'].raw}: total variance falls by {row['least_growth'].raw:.2g}"
            )
    unusual = by_tool["unusual_volume"]
    if unusual.maybe("refused"):
        console.say(f"  unusual volume: {unusual['refused'].string()}")
        return
    lines = [
        (
            f"{row['expiry'].raw} {row['strike'].number():g} {row['kind'].raw}",
            f"{row['volume'].number():,.0f}",
            f"{row['usual'].number():,.0f}",
            f"{row['z_score'].number():.1f}",
            f"{row['turnover'].number():.2f}",
        )
        for row in unusual["rows"].rows()
    ]
    console.table("unusual volume", ("contract", "today", "usual", "z", "of open interest"), lines)


def _expiry_line(output: Fact) -> tuple[str, ...]:
    smile, ratios = output.maybe("smile"), output["put_call"]
    is_fitted = smile is not None and smile.maybe("parameters") is not None
    skew, move = (part.maybe("fraction") if (part := output.maybe(name)) else None for name in ("skew", "move"))
    return (
        output["expiry"].string(),
        str(output["days"].raw),
        _text(output.maybe("forward"), ".2f"),
        _text(smile["at_the_money"] if smile and is_fitted else None, ".2%"),
        _text(skew, "+.2%"),
        _text(move, ".2%"),
        _text(ratios.maybe("volume"), ".2f"),
        _text(ratios.maybe("open_interest"), ".2f"),
        str(output["status"]["in_smile"].raw) if output.maybe("status") else "-",
        _text(smile["rmse"] if smile and is_fitted else None, ".2%"),
        "-" if not (smile and is_fitted) else "yes" if smile["is_free"].raw else "NO",
    )


def _text(fact: Fact | None, form: str) -> str:
    return "-" if fact is None else format(fact.number(), form)
