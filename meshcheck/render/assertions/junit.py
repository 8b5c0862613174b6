"""JUnit XML: a suite for each file, a case for each statement; one that is unknown is an error."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as xml

from meshcheck.render.assertions.report import Judged
from meshcheck.render.assertions.text import statement_lines
from meshcheck.render.lint.junit import clean
from meshcheck.render.style import Style


def render(judged: Sequence[Judged], _: Style) -> str:
    """The document."""
    root = xml.Element("testsuites", name="meshcheck test")
    suites: dict[str, xml.Element] = {}
    for one in judged:
        found = one.judgement
        suite = suites.get(one.file)
        if suite is None:
            suite = suites[one.file] = xml.SubElement(root, "testsuite", name=one.file)
        name, seconds = found.assertion.name, f"{found.seconds:.3f}"
        case = xml.SubElement(suite, "testcase", classname=one.file, name=name, file=one.file, line=str(one.line), time=seconds)
        words = "\n".join(statement_lines(one, Style(False)))
        if found.outcome == "fails":
            xml.SubElement(case, "failure", message=found.why).text = words
        elif found.outcome == "unknown":
            xml.SubElement(case, "error", type="unknown", message=found.why).text = words
    for suite in (*suites.values(), root):
        for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(key, str(sum(1 for _ in suite.iter(tag))))
    xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + clean(xml.tostring(root, encoding="unicode")) + "\n"
