"""Outcomes as JUnit XML, which every build server reads; times are left out, for they are the machine's."""

from collections.abc import Sequence
from xml.etree import ElementTree

from .outcomes import Kept


def junit_of(suite: str, kept: Sequence[Kept]) -> str:
    """One case for each sample in each epoch; an error is not a failure."""
    failed = sum(not item.error and item.outcome.passed is False for item in kept)
    errors = sum(bool(item.error) for item in kept)
    root = ElementTree.Element("testsuite", name=suite, tests=str(len(kept)), failures=str(failed), errors=str(errors))
    for item in kept:
        name = item.sample if item.epoch == 0 else f"{item.sample} epoch {item.epoch}"
        case = ElementTree.SubElement(root, "testcase", classname=suite, name=name)
        if item.error:
            ElementTree.SubElement(case, "error", message=printable(item.error))
        elif item.outcome.passed is False:
            ElementTree.SubElement(case, "failure", message=printable(item.outcome.reason))
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def printable(text: str) -> str:
    """XML has no way to write most control characters."""
    return "".join(char if char.isprintable() else "?" for char in text)
