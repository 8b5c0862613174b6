#!/usr/bin/env python3
"""Makes krew's manifest of a release from .krew.yaml: ci/krew/render.py TAG FOLDER > meshcheck.yaml

FOLDER holds the archives (meshcheck-OS-ARCH.tar.gz); platforms whose archive is not there are left out. `.krew.yaml` has the form of
rajatjindal/krew-release-bot, which does the same when a release is published.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

_ARCHIVE = re.compile(r'^( *)\{\{addURIAndSha "([^"]*)" \.TagName \}\}$', re.MULTILINE)
_PLATFORM = re.compile(r"^  - selector:.*?(?=^  - selector:|\Z)", re.MULTILINE | re.DOTALL)


def render(template: str, tag: str, folder: Path) -> str:
    """The manifest of a tag."""

    def archive(found: re.Match[str]) -> str:
        pad, uri = found[1], found[2].replace("{{ .TagName }}", tag)
        digest = hashlib.sha256((folder / uri.rpartition("/")[2]).read_bytes()).hexdigest()
        return f'{pad}uri: {uri}\n{pad}sha256: "{digest}"'

    def platform(found: re.Match[str]) -> str:
        name = _ARCHIVE.search(found[0])
        return found[0] if name and (folder / name[2].rpartition("/")[2]).is_file() else ""

    text = _ARCHIVE.sub(archive, _PLATFORM.sub(platform, template)).replace("{{ .TagName }}", tag)
    if "{{" in text or "  - selector:" not in text:
        raise SystemExit(f"render.py: no archive in `{folder}` is that of a platform of .krew.yaml")
    return text


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.stdout.write(render((Path(__file__).parents[2] / ".krew.yaml").read_text(), sys.argv[1], Path(sys.argv[2])))
