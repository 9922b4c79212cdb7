"""Commands that put the desk itself to the test."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import FAILED, BookOption, ConfigOption, DataOption, EndOption, JsonOption, StartOption, group

evals = group("eval", "Evaluation suites: what the desk does when it matters.")

GatesOption = Annotated[Path | None, typer.Option("--gates", help="A file of gates; default the desk's own.")]


@evals.command("list")
def list_suites(as_json: JsonOption = False) -> None:
    """The suites, their tags, and how many samples each one has."""
    from ..evaluating import perform_list

    perform_list(Console(as_json))


@evals.command()
def run(
    suites: Annotated[
        list[str] | None, typer.Argument(metavar="SUITE...", help="Suites of `parley eval list`, or tag:fast.")
    ] = None,
    data: DataOption = None,
    start: StartOption = None,
    end: EndOption = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", help="Whose answers: a model, or recorded:BOOK of a run; of `injection` also worst, honest."
        ),
    ] = None,
    arms: Annotated[str | None, typer.Option("--arms", help="Of `ablation`: names, with commas between.")] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=1, help="How many seeds, from 0 on; of `faithfulness`, newest pages."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="This one seed alone.")] = None,
    cases: Annotated[int | None, typer.Option("--cases", min=1, help="So many cases or questions.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="How often each sample is asked.")] = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Of `faults`: this scenario alone.")] = None,
    replay: Annotated[
        Path | None,
        typer.Option("--replay", help="Of `faults`, a counter-example's file; of `prompts`, answers of before."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write counter-examples, or answers.")] = None,
    run_name: Annotated[str | None, typer.Option("--run", help="A run of the book; default: the latest.")] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="Default: one for each core.")] = None,
    max_samples: Annotated[int | None, typer.Option("--max-samples", min=1, help="Stop after so many.")] = None,
    max_cost: Annotated[float | None, typer.Option("--max-cost", min=0, help="Stop after so many USD.")] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", min=0, help="Seconds for one sample.")] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask everything anew.")] = False,
    resume: Annotated[str | None, typer.Option("--resume", metavar="ID", help="Go on with an evaluation.")] = None,
    gates: GatesOption = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run suites; what was answered before is not asked again. Exit code 1 when one finds a fault."""
    if bool(suites) == bool(resume):
        raise typer.BadParameter("name suites, or --resume ID")
    from ...evals.harness.options import SuiteOptions
    from ...evals.harness.runner import Bounds
    from ..evaluating import EvalRequest, perform_run, usual_processes

    options = SuiteOptions(
        data=data,
        start=start,
        end=end,
        model=model,
        arms=tuple(name.strip() for name in arms.split(",")) if arms else (),
        seeds=seeds,
        seed=seed,
        cases=cases,
        epochs=epochs,
        max_samples=max_samples,
        max_cost_usd=max_cost,
        scenario=scenario,
        replay=replay,
        out=out,
        run_name=run_name,
        book=book,
        config=config,
    )
    bounds = Bounds(processes or usual_processes(), timeout or None, max_samples, max_cost, refresh)
    request = EvalRequest(tuple(suites or ()), options, bounds, resume, gates)
    if not perform_run(request, Console(as_json)):
        raise typer.Exit(FAILED)


@evals.command()
def score(
    evaluation: Annotated[str, typer.Argument(metavar="ID", help="An evaluation, or a suite for its latest.")],
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sum up stored outcomes again without running anything."""
    from ...evals.harness.options import SuiteOptions
    from ..evaluating import perform_score

    if not perform_score(evaluation, SuiteOptions(book=book, config=config), Console(as_json)):
        raise typer.Exit(FAILED)


@evals.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="An evaluation, a suite for its latest, or EVAL:SAMPLE.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the resampling.")] = 0,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """B less A, sample by sample or day by day, with intervals and what they do not show."""
    from ..comparing import perform_compare

    perform_compare(a, b, seed, book, Console(as_json))


@evals.command()
def report(
    evaluation: Annotated[str, typer.Argument(metavar="ID", help="An evaluation, or a suite for its latest.")],
    out: Annotated[Path | None, typer.Option("--out", help="An HTML file; its twin lies beside it.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Write the page of a stored evaluation."""
    from ..evaluating import perform_report

    perform_report(evaluation, out, book, Console(as_json))


@evals.command()
def gates(
    evaluations: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="Evaluations; default the latest of each suite.")
    ] = None,
    gates: GatesOption = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Hold evaluations against the gates; exit code 1 when one fails."""
    from ..evaluating import perform_gates

    if not perform_gates(tuple(evaluations or ()), gates, book, Console(as_json)):
        raise typer.Exit(FAILED)


@evals.command()
def results(
    out: Annotated[Path, typer.Option("--out", help="The page to write; its JSON twin lies beside it.")] = Path(
        "docs/results.md"
    ),
    data: Annotated[
        list[str] | None, typer.Option("--data", help="A data set; may be repeated. Default: all there are.")
    ] = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What the desk is worth on every data set; evaluates what the book does not hold yet."""
    from ..results import perform_results

    perform_results(out, data or (), book, config, Console(as_json))


@evals.command()
def register(
    evaluation: Annotated[str, typer.Argument(metavar="ID", help="An evaluation of `days`, or `days` for its latest.")],
    why: Annotated[str, typer.Option("--why", help="What this configuration was tried for.")],
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add an evaluation's configuration to the register of trials, which deflates every Sharpe ratio."""
    from ..results import perform_register

    perform_register(evaluation, why, book, config, Console(as_json))
