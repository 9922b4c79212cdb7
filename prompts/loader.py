"""Reads prompt files: front matter (name, version, inputs, output) and text, with a content hash."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from .errors import PromptError


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt: `system` is fixed text, sent first so servers can cache it; `inputs` name the facts."""

    name: str
    version: int
    inputs: tuple[str, ...]
    output: str
    system: str
    hash: str


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt called `name`, such as `analyst/views`."""
    path = resources.files(__name__.rpartition(".")[0]).joinpath(*f"{name}.md".split("/"))
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PromptError(f"no prompt named {name!r}", remedy=f"Add prompts/{name}.md.") from error
    return parse_prompt(name, text)


def parse_prompt(name: str, text: str) -> Prompt:
    """A prompt from its file's text; the front matter must name the same prompt and a version."""
    import yaml

    parts = text.split("---\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise PromptError(f"prompt {name}: no front matter", remedy="Begin the file with --- name, version ---.")
    meta = yaml.safe_load(parts[1])
    if not isinstance(meta, dict) or meta.get("name") != name or not isinstance(meta.get("version"), int):
        raise PromptError(
            f"prompt {name}: front matter names {meta.get('name') if isinstance(meta, dict) else meta!r}",
            remedy="Give it `name`, an integer `version`, `inputs` and `output`.",
        )
    return Prompt(
        name=name,
        version=meta["version"],
        inputs=tuple(meta.get("inputs", ())),
        output=str(meta.get("output", "")),
        system=parts[2].strip(),
        hash=hashlib.sha256(text.encode("utf-8")).hexdigest(),
    )
