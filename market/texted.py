"""A data set with texts of one's choice: `PRICES+text=FILE` or `PRICES+text=none`, wherever a name is taken."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from .cards import DataCard, DataSet
from .errors import DataFileError
from .files import TEXT_LEAD_DAYS
from .sessions import utc_moment
from .texts import TextFile, read_text_file

TEXT_MARK = "+text="
NO_TEXT = "none"


def split_texts(name: str) -> tuple[str, str | None]:
    """The name of the prices, and of the texts where they are named."""
    plain, mark, texts = name.rpartition(TEXT_MARK)
    return (plain, texts) if mark else (name, None)


def texted_name(name: str, texts: str | None) -> str:
    """The name of these prices with these texts; `texts` takes the place of any that the name holds."""
    return name if texts is None else f"{split_texts(name)[0]}{TEXT_MARK}{texts}"


def with_texts(data: DataSet, texts: str) -> DataSet:
    """The data set with a file's texts about its instruments in place of its own, or with none."""
    if texts == NO_TEXT:
        return replace(data, texts=(), card=_noted(data.card, "texts left out"))
    path = Path(texts)
    if not path.is_file():
        raise DataFileError(
            f"{texts}: no such text file.", remedy="Give a Parquet file of dated texts, or `none`.", reason="unreadable"
        )
    closes = data.panel.close_times
    since = utc_moment(closes[0]) - timedelta(days=TEXT_LEAD_DAYS)
    found = read_text_file(path, data.panel.symbols, since, utc_moment(closes[-1]))
    return replace(data, texts=found.items, card=_noted(data.card, text_facts(path, found)))


def text_facts(path: Path, found: TextFile) -> str:
    """What a reader must know of the texts, in a line: how many, from when to when, of how many sources."""
    if not found.items:
        return f"texts of {path.name}: none of these instruments and days; license not stated by the file"
    days = [item.available_at.date() for item in found.items]
    return (
        f"texts of {path.name}: {len(found.items)} items of {len({item.source for item in found.items})} sources, "
        f"{min(days)} to {max(days)}, {len(found.findings)} findings; license not stated by the file"
    )


def _noted(card: DataCard, note: str) -> DataCard:
    return replace(card, notes=(*card.notes, note))
