"""Commands about the language models: what they were asked and what they said."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, JsonOption, group

models = group()


@models.command("model-calls")
def model_calls(
    run_name: Annotated[str | None, typer.Argument(metavar="RUN", help="Run id; default the latest.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write all calls to this file, one JSON a line.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """List what models were asked in a run: node, model, prompt, tokens, seconds, errors."""
    from ..model_calls import perform_model_calls

    perform_model_calls(run_name, book, out, Console(as_json))
