"""The versions of Istio beside a trace, as text, Markdown and JSON (in a trace under `versions`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.render.style import Style
from meshcheck.semantics.world.versions import Versions


def versions_text(found: Mapping[str, Versions], style: Style) -> str:
    """The lines below a trace."""
    return "".join(f"  {style.dim('Istio')}   {name}: {_words(versions)}\n" for name, versions in found.items())


def versions_markdown(found: Mapping[str, Versions]) -> str:
    """The same for a ticket."""
    return "".join(f"- Istio at `{name}`: {_words(versions)}\n" for name, versions in found.items())


def versions_json(found: Mapping[str, Versions]) -> dict[str, Any]:
    """Workload → its proxies' versions, its control plane's, and the revision."""
    return {
        name: {
            "proxies": [str(version) for version in versions.proxies],
            "control_plane": str(versions.control_plane) if versions.control_plane else None,
            "revision": versions.revision,
        }
        for name, versions in found.items()
    }


def _words(versions: Versions) -> str:
    parts = [f"proxy {' and '.join(map(str, versions.proxies))}"] if versions.proxies else []
    if versions.control_plane is not None:
        parts.append(f"istiod {versions.control_plane}")
    return ", ".join(parts) + (f" (revision {versions.revision})" if versions.revision else "")
