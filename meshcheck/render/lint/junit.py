"""JUnit XML: a suite for each file, a failing case for each finding at or above the threshold."""

from __future__ import annotations

from xml.etree import ElementTree as xml

from meshcheck.lint.project import fails
from meshcheck.model.finding import Finding
from meshcheck.model.objects import dotted
from meshcheck.render.lint.report import LintReport, message_of, place_words
from meshcheck.render.style import Style


def render(report: LintReport, _: Style) -> str:
    """The document. A run without findings has one case that passes, so that it is seen to have run."""
    root = xml.Element("testsuites", name="meshcheck lint")
    by_file: dict[str, list[Finding]] = {}
    for finding in report.outcome.shown:
        by_file.setdefault(finding.place.file if finding.place else "meshcheck", []).append(finding)
    for file, findings in by_file.items() or [("meshcheck lint", [])]:
        _suite(root, file, findings, report.threshold)
    for key in ("tests", "failures"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + clean(xml.tostring(root, encoding="unicode")) + "\n"


def clean(text: str) -> str:
    """Text without the characters that XML 1.0 does not allow."""
    return "".join(c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff")


def _suite(root: xml.Element, file: str, findings: list[Finding], threshold: str) -> None:
    failing = [finding for finding in findings if fails([finding], threshold)]
    suite = xml.SubElement(root, "testsuite", name=file, tests=str(max(1, len(findings))), failures=str(len(failing)))
    if not findings:
        xml.SubElement(suite, "testcase", classname="meshcheck", name="no findings")
    for finding in findings:
        name = f"{finding.code} {finding.name} {finding.object or ''} {dotted(finding.field)}".strip()
        case = xml.SubElement(suite, "testcase", classname=file, name=name)
        where = place_words(finding.place) if finding.place else file
        words = f"{where}\n{finding.severity}: {message_of(finding)}"
        if finding in failing:
            case.set("file", finding.place.file if finding.place else file)
            xml.SubElement(case, "failure", type=finding.severity, message=message_of(finding)).text = words
        else:
            xml.SubElement(case, "system-out").text = words
