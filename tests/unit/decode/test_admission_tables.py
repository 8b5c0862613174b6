"""The tables of fields hold: fields are compiled when a value first has them, so each is compiled here."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

from meshcheck.decode import admission
from meshcheck.decode.admission.table import Table


def test_every_field_of_every_table_can_be_compiled() -> None:
    """A type, a rule or a format that a table names and nobody has would fail with the first value only."""
    modules = [import_module(found.name) for found in walk_packages(admission.__path__, f"{admission.__name__}.")]
    tables = {id(item): item for module in modules for item in vars(module).values() if isinstance(item, Table)}
    compiled = [table.compile() for table in tables.values()]
    assert len(compiled) >= 5
    assert sum(compiled) > 1500
