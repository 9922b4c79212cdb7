"""Commands about texts: train the encoder, read a text with it, judge the sources."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, DataOption, JsonOption, TextOption, group

texts = group()

EncoderOption = Annotated[
    Path | None,
    typer.Option(
        "--encoder", help="A trained .npz file, or the folder of a BERT-family model; default the shipped one."
    ),
]


@texts.command("train-sentiment")
def train_sentiment(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the labelled sets.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Where to write; default sentiment.npz here, or into the model's folder."),
    ] = None,
    encoder: Annotated[
        Path | None, typer.Option("--encoder", help="Folder of a BERT-family model to train a head for; needs [ml].")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train a sentiment encoder on SEntFiN and Twitter Financial News, and write it with its card."""
    from ..training_text import perform_train_sentiment

    perform_train_sentiment(folder, out, encoder, Console(as_json))


@texts.command()
def sentiment(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="A headline to read.")] = None,
    encoder: EncoderOption = None,
    file: Annotated[Path | None, typer.Option("--file", help="A file of dated texts to look at.")] = None,
    sources: Annotated[bool, typer.Option("--sources", help="How often each source of texts was right.")] = False,
    data: DataOption = None,
    texts: TextOption = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The close to judge at; default the last.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """The polarity of a text with its probability, a file's faults, or the record of the sources of texts."""
    from ..reading_texts import SentimentRequest, perform_sentiment

    perform_sentiment(SentimentRequest(text, encoder, file, sources, data, texts, as_of, book), Console(as_json))
