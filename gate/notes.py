"""The words of docs/gate.md around its table of reasons."""

HEAD = """# What the gate checks

Written by `python -m parley.gate.catalog`; a test fails when this page and the code differ.

A plan is reviewed when it is decided (*plan*), and each child order again at the instant it is sent (*child*). All
checks run and all reasons are collected. A value that is missing, NaN, infinite or absurd is within no bound.
Tightening a limit never turns a veto into an approval. Legs and children that only take risk off are exempt from
every bound on risk, and pass in REDUCING. Cancels never come to the gate: nothing can refuse one.

In HALTED nothing new passes but the stop of a position: a sell order of type STOP, good till canceled, of a leg that
was approved for nothing else (`protects`), which with all open sells closes no more than is held now, and only while
the venue answers, its book was compared with ours and the log can be written; what is not known of these refuses it.
One that stands already needs no gate to stay, and is taken back where it would close more than is held.

Open orders and those whose outcome is not known count as filled wherever that is worse. The legs of a plan are
counted together; so are the children of a leg, which never come to more than the leg.

A protective order is a stop on the side that closes a position, with a stop price that the mark has yet to reach. The
plan check counts its shares only as far as they go beyond what is held: it is taken back before a child of its name is
sent. That it was is not believed but checked: the child check counts every open order, protective ones too, and
vetoes a sell while one is open. A stop that the mark has reached, or whose mark is missing, counts like any order. More
open shares or a larger leg never make a veto an approval.

Figures that not every source has (venue clock, halts, pacing queue) are held to their bound whenever they are given;
`required_figures` lists those without which nothing new is sent. A bound in a row below is a field of the limits file.

## Reasons"""

ELSEWHERE: tuple[tuple[str, str], ...] = (
    ("side, order type, time in force", "by type: `ChildOrder` has a side, a limit price or none, nothing else"),
    ("good till date in the future", "by type: an order lives for one session, `execution/` expires it at the close"),
    ("finite, positive price and quantity", "`well_formed` of plans, `plan_match` and every other line of children"),
    ("schema version", "by type: `Limits.version`, `Payload.schema_version`; others are refused when read"),
    ("duplicate order id", "`unique_legs`; child ids are a function of their place, the ledger keeps each once"),
    ("margin", "no margin account is modeled: `cash` and `gross` bound what can be bought"),
    ("order list, cumulative", "every plan check adds the legs up"),
    (
        "correlation, beta, VaR, ES of a child",
        "plan level: children never come to more than the plan that was measured",
    ),
    ("factor exposures other than the market", "the risk agent's report; only beta has a bound"),
    ("reduce-only", "a leg or child reduces when it can't go through zero, open orders counted; see `trading_state`"),
    ("short marking", "by type: no short sales with `allow_short = false`; an adapter that sells short marks"),
    ("authorized persons, approval of the order", "by type: only the gate issues `ApprovedPlan` and `ApprovedOrder`"),
    ("account permission by market", "a class whose `max_instrument_weight` is 0 can't be bought; `allowed_symbols`"),
    ("modifies a second", "by type: an order is never modified, it is canceled and another one sent"),
    ("market data live", "`quote_age`"),
    ("strategy lock", "`trading_state` with a strategy scope"),
    ("limits version", "`limits_hash` of every verdict"),
)

TAIL = """
## Limits that move by themselves

`[dynamic]` of the limits file tightens gross, net, beta, weights, cluster weight and order value by one factor: the
smallest of a factor for the regime, one that falls with the drawdown, and one that falls as volatility rises over its
usual level. The factor is never above 1 and never below `smallest_factor`; a figure that is not known gives the
smallest. The verdict carries the hash of the limits it was given under.
"""
