"""Splits, dividends, delistings and renames: reads them from a file, checks them, and shows those known by a day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

from .order_books import read_frame, refused, require

ActionKind = Literal["split", "dividend", "delisting", "rename"]


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """What happens to a share before the open of `ex_date`.

    A split makes `new_shares` of `old_shares`; a dividend pays `cash` a share on `paid`, a delisting `cash` for each
    share at once; a rename goes on as `new_symbol`. `declared` is when it was announced, None where nobody recorded.
    """

    symbol: str
    kind: ActionKind
    ex_date: date
    declared: date | None = None
    paid: date | None = None
    cash: Decimal = Decimal(0)
    old_shares: int = 1
    new_shares: int = 1
    new_symbol: str = ""

    @property
    def text(self) -> str:
        match self.kind:
            case "split":
                return f"split {self.new_shares}:{self.old_shares}"
            case "dividend":
                return f"dividend {self.cash}"
            case "delisting":
                return f"delisted at {self.cash}"
            case "rename":
                return f"renamed {self.new_symbol}"


def read_actions(path: Path) -> tuple[CorporateAction, ...]:
    """All actions of a file, by day; on one day splits last, so that its dividend is one on the old shares.

    Columns: symbol, kind, ex_date; cash of a dividend or delisting; split_from, split_to of a split; new_symbol of a
    rename; declared and paid where they are known. Raises DataFileError for what none of these can mean.
    """
    frame = read_frame(path)
    require(path, frame, ("symbol", "kind", "ex_date"))
    found = [_action(path, row, number) for number, row in enumerate(frame.to_dict("records"), 1)]
    return tuple(sorted(found, key=lambda item: (item.ex_date, item.symbol, item.kind == "split", item.cash)))


def due(actions: tuple[CorporateAction, ...], symbols: set[str], after: date, until: date) -> list[CorporateAction]:
    """The actions of these names that take effect after one session's day, up to the open of another's."""
    return [item for item in actions if item.symbol in symbols and after < item.ex_date <= until]


def _action(path: Path, row: dict[str, Any], number: int) -> CorporateAction:
    kind = row["kind"]
    if kind not in get_args(ActionKind):
        what = f"row {number}: kind is {kind!r}, expected one of {', '.join(get_args(ActionKind))}."
        raise refused(path, what, "Name the kind as it is written here.", "action_kind", number)
    ex_date = _day(row["ex_date"])
    if ex_date is None:
        raise refused(
            path, f"row {number}: ex_date is missing.", "Give the ex-date of every action.", "ex_date", number
        )
    old, new = (1, 1) if kind != "split" else _shares(path, row, number)
    cash = Decimal(0)
    if kind in ("dividend", "delisting"):
        cash = Decimal(repr(float(row.get("cash", "nan"))))
        if not (cash.is_finite() and (cash > 0 or (kind == "delisting" and cash == 0))):
            what = f"row {number}: a {kind} of {row.get('cash')}, expected an amount a share."
            raise refused(path, what, "Give cash in the currency of the share.", "action_cash", number)
    renamed = row.get("new_symbol")
    if kind == "rename" and not (isinstance(renamed, str) and renamed):
        raise refused(path, f"row {number}: a rename to {renamed!r}.", "Give new_symbol.", "action_name", number)
    return CorporateAction(
        symbol=str(row["symbol"]),
        kind=kind,
        ex_date=ex_date,
        declared=_day(row.get("declared")),
        paid=_day(row.get("paid")),
        cash=cash,
        old_shares=old,
        new_shares=new,
        new_symbol=renamed if kind == "rename" and isinstance(renamed, str) else "",
    )


def _shares(path: Path, row: dict[str, Any], number: int) -> tuple[int, int]:
    old, new = (float(row.get(name, "nan")) for name in ("split_from", "split_to"))
    if not (old >= 1 and new >= 1 and old.is_integer() and new.is_integer() and old != new):
        what = f"row {number}: a split of {row.get('split_from')} to {row.get('split_to')}, expected whole numbers."
        raise refused(path, what, "Give split_from and split_to, such as 1 and 7.", "action_ratio", number)
    return int(old), int(new)


def _day(value: Any) -> date | None:
    import pandas as pd

    moment = pd.Timestamp(value) if value is not None else pd.NaT
    return date(moment.year, moment.month, moment.day) if isinstance(moment, pd.Timestamp) else None
