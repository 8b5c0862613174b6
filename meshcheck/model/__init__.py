"""Frozen values that say what was read and what was concluded; no behaviour beyond lookups in themselves."""
