"""The request at an ingress controller, and the common parts of its stations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station, Symptom
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.entry.client import forwarded_for
from meshcheck.semantics.world.world import World


class Asked(NamedTuple):
    """A request. `peer` is empty when it is not known, `why` says why."""

    world: World
    controller: str
    method: str
    headers: Mapping[str, Sequence[str]]
    peer: str
    why: str

    def denied(self, name: str, why: str, meta: Meta, field: Path, symptom: Symptom) -> Station:
        mention = Mention(meta, field=field)
        return Station(name, self.controller, DENIED, why, (mention,), symptom=symptom, decider=mention)

    def unknown(self, name: str, fact: str, meta: Meta, field: Path) -> Station:
        return Station(name, self.controller, UNKNOWN, fact, (Mention(meta, field=field),), missing=fact)

    def allowed(self, name: str, why: str, meta: Meta, field: Path = ()) -> Station:
        return Station(name, self.controller, ALLOWED, why, (Mention(meta, field=field),))

    def has(self, header: str) -> bool:
        return bool(self.headers.get(header))

    def forwarded(self, depth: int) -> str:
        """The entry of X-Forwarded-For that stands `depth` from the right; empty when there are fewer."""
        entries = forwarded_for(self.headers)
        return entries[-depth] if 0 < depth <= len(entries) else ""

    def listed(
        self,
        name: str,
        meta: Meta,
        field: Path,
        symptom: Symptom,
        *,
        allow: Iterable[str] = (),
        deny: Iterable[str] = (),
        address: str | None = None,
    ) -> Station | None:
        """A list of addresses: deny goes first; an allow list refuses all others. None without any list."""
        allows, denies = list(allow), list(deny)
        if not allows and not denies:
            return None
        given = parse_address(address if address is not None else self.peer)
        shown = ", ".join([*(f"deny {d}" for d in denies), *(f"allow {a}" for a in allows)])
        if given is None:
            return self.unknown(name, self.why if address is None else "the client's address in X-Forwarded-For", meta, field)
        refused = _in(denies, given) or (bool(allows) and not _in(allows, given))
        words = f"{shown}: {'does not admit' if refused else 'admits'} {address if address is not None else self.peer}"
        return self.denied(name, words, meta, field, symptom) if refused else self.allowed(name, words, meta, field)


def _in(blocks: Iterable[str], address: object) -> bool:
    return any(block.holds(address) for text in blocks if (block := parse_block(str(text).strip())) is not None)  # type: ignore[arg-type]


MALFORMED = (AttributeError, TypeError, ValueError, KeyError)
"""What settings of the wrong form cause: no schema admitted objects of other projects. Whoever reads them says `unknown`."""
