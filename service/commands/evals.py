"""Commands that put the desk itself to the test."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import FAILED, BookOption, JsonOption, group

evals = group("eval", "Evaluation suites: what the desk does when it matters.")


@evals.command("list")
def list_suites(as_json: JsonOption = False) -> None:
    """The suites, and what each one can run."""
    from ..evaluating import perform_list

    perform_list(Console(as_json))


@evals.command()
def run(
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="A suite of `parley eval list`.")],
    seeds: Annotated[
        int,
        typer.Option(
            "--seeds", min=1, help="How many seeds, from 0 on; of `faithfulness`, how many of the newest pages."
        ),
    ] = 100,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Run this one seed alone.")] = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Run this scenario alone.")] = None,
    replay: Annotated[
        Path | None,
        typer.Option("--replay", help="Run a counter-example's file again; of `prompts`, answers to compare with."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write counter-examples, or answers.")] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="Default: one for each core.")] = None,
    book: BookOption = Path("book"),
    run_name: Annotated[str | None, typer.Option("--run", help="A run of the book; default: the latest.")] = None,
    cases: Annotated[
        int | None, typer.Option("--cases", min=1, help="Of `injection` and `prompts`: so many cases.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Of `injection`: worst, honest, or a model; of `prompts`, whose answers."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a suite; exit code 1 when it finds a fault."""
    from ..evaluating import perform_eval
    from ..suites import EvalRequest

    request = EvalRequest(seeds, seed, scenario, replay, out, processes, book, run_name, cases, model)
    if not perform_eval(suite, request, Console(as_json)):
        raise typer.Exit(FAILED)
