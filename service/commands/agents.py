"""Commands about the agents themselves."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, JsonOption, group

agents = group()


@agents.command("agents")
def scores(
    run_name: Annotated[str | None, typer.Option("--run", help="Run to look at; default the latest.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """How each agent's votes came out: hits, probability score, edge, weight over time, silence and cost."""
    from ..agent_scores import perform_agents

    perform_agents(run_name, book, Console(as_json))
