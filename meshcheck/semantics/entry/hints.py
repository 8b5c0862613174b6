"""Why no route takes a request: the routes that were meant for it, and what the nearest ones wanted."""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.objects import Meta
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import Mention
from meshcheck.semantics.entry.config import Config
from meshcheck.semantics.gateway.servers import Bound
from meshcheck.semantics.gateway.virtual_hosts import Entry, Picked, Table
from meshcheck.semantics.gateway.virtual_services import with_host
from meshcheck.semantics.world.world import World


class Hints(NamedTuple):
    """A host without routes, at the servers of a gateway that were asked."""

    world: World
    config: Config
    workload: Workload
    routes: Table
    servers: tuple[Bound, ...]
    authority: str

    def words(self) -> str:
        """Why no route has the host."""
        known = ", ".join(list(self.routes.hosts)[:5]) + (", …" if len(self.routes.hosts) > 5 else "")
        there = f"the gateway has routes for {known}" if known else "the gateway has no routes"
        words = f"no route for host `{self.authority}`: {there}"
        for meta, why in self._left_out()[:2]:
            words += f"; {meta.ref} is not used: {why}"
        return words

    def _left_out(self) -> list[tuple[Meta, str]]:
        """Routes that were meant for these servers and are not on them."""
        names = {bound.gateway_name for bound in self.servers}
        out: list[tuple[Meta, str]] = []
        for virtual in with_host(self.world, self.authority.partition(":")[0].lower()) if self.config.mesh else ():
            if not names & set(virtual.gateways):
                out.append((virtual.meta, f"its gateways are {', '.join(virtual.gateways)}"))
            elif not any(virtual.meta is v.meta for name in names for v in self.config.visible(name)):
                out.append((virtual.meta, f"exportTo keeps it from namespace {self.workload.namespace}"))
        out += [(virtual.meta, why) for virtual, why in self.routes.hidden]
        return out + [item for bound in self.servers for item in self.config.unattached(bound.gateway_name)]

    def nearest(self) -> Mention | None:
        """The object that is most likely at fault."""
        left_out = self._left_out()
        if left_out:
            meta, why = left_out[0]
            field = _FIELDS.get(why.partition(" ")[0], ("spec", "hosts")) if meta.ref.kind == "VirtualService" else ("spec", "parentRefs")
            return Mention(meta, field=field)
        return Mention(self.servers[0].gateway.meta, field=(*self.servers[0].server.field, "hosts")) if not self.routes.hosts else None


_FIELDS: dict[str, tuple[str, ...]] = {"its": ("spec", "gateways"), "exportTo": ("spec", "exportTo"), "none": ("spec", "hosts")}


def no_route(host: str, picked: Picked) -> str:
    """Why no route of a host takes a request: what the nearest ones wanted."""
    shown = [f"{e.owner.name} {e.route.name or e.route.field[-1]}: {why}" for e, why in picked.misses[:4]]
    return f"no route of host `{host}` matches" + (f" ({'; '.join(shown)})" if shown else "")


def mention_of(entry: Entry) -> Mention:
    """The route's place."""
    field = entry.match.field if entry.match is not None and entry.match.field else entry.route.field
    number = next((step for step in reversed(entry.route.field) if isinstance(step, int)), None)
    return Mention(entry.owner, rule=number, field=field)
