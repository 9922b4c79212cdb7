"""Reads prompt files: front matter (name, version, inputs, output, examples) and text, with a content hash."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import PromptError

FENCE = "---\n"
REMEDY = "Begin the file with --- and name, version (an integer), inputs (a list), output; then --- and the text."


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt: `system` is fixed text, sent first so servers can cache it; `inputs` name the facts.

    `output` names the type of the reply; it is empty for a text that goes along with another prompt. `examples` are
    shown with the facts, in an order that varies: the last one a model reads attracts its answer.
    """

    name: str
    version: int
    inputs: tuple[str, ...]
    output: str
    system: str
    hash: str
    examples: tuple[str, ...] = ()


class _FrontMatter(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    version: int = Field(ge=1)
    inputs: list[str]
    output: str = ""
    examples: list[str] = []


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt called `name`, such as `analyst/views`; raises PromptError when there is no good one."""
    path = resources.files(__name__.rpartition(".")[0]).joinpath(*f"{name}.md".split("/"))
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PromptError(f"no prompt named {name!r}", remedy=f"Add prompts/{name}.md.") from error
    return parse_prompt(name, text)


def parse_prompt(name: str, text: str) -> Prompt:
    """A prompt from its file's text; the front matter must name the same prompt, and there must be a text."""
    parts = text.split(FENCE, 2)
    if len(parts) != 3 or parts[0].strip():
        raise PromptError(f"prompt {name}: no front matter", remedy=REMEDY)
    meta, system = _front_matter(name, parts[1]), parts[2].strip()
    if meta.name != name:
        raise PromptError(f"prompt {name}: its front matter says it is {meta.name!r}", remedy="Make the two agree.")
    if not system:
        raise PromptError(f"prompt {name}: there is no text below the front matter", remedy=REMEDY)
    return Prompt(
        name=name,
        version=meta.version,
        inputs=tuple(meta.inputs),
        output=meta.output,
        system=system,
        hash=hashlib.sha256(text.encode("utf-8")).hexdigest(),
        examples=tuple(meta.examples),
    )


def _front_matter(name: str, text: str) -> _FrontMatter:
    import yaml

    try:
        return _FrontMatter.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise PromptError(f"prompt {name}: its front matter is not YAML", remedy=REMEDY) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "front matter"
        raise PromptError(f"prompt {name}: {where}: {first['msg']}", remedy=REMEDY) from error
