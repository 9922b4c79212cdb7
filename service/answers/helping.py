"""What can be asked, told from the table itself."""

from collections.abc import Sequence

from pydantic import JsonValue

from .answer import Answer, Kind
from .arguments import Nothing
from .askable import Askable
from .draft import Draft, quote
from .reader import Reading


def help_over(groups: Sequence[tuple[str, Sequence[Askable]]]) -> Askable:
    """The question that lists the others."""

    def answer(reading: Reading, draft: Draft, asked: Nothing) -> Answer:
        rows: list[JsonValue] = [
            {"name": item.name, "says": item.says, "kind": item.kind.value, "example": item.examples[0]}
            for _, group in groups
            for item in group
        ]
        draft.say("I answer from the record of the run, and cite every figure. Ask about")
        for title, group in groups:
            names = ", ".join(item.name.replace("_", " ") for item in group)
            draft.say(title + ": {}", quote(draft.derive("names_of", names, group=title)))
        draft.table(
            {
                "question": ("text", "name"),
                "says": ("text", "says"),
                "kind": ("text", "kind"),
                "for example": ("text", "example"),
            },
            draft.derive("questions", rows).rows(),
        )
        return draft.answer(Kind.EXPLANATION, more="parley ask NAME --arg KEY=VALUE")

    return Askable(
        name="help",
        says="What the desk can be asked.",
        parameters=Nothing,
        answer=answer,
        kind=Kind.EXPLANATION,
        examples=("What can I ask you?",),
        needs_run=False,
    )
