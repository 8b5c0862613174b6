"""Rules that find what is probably not meant: one file per rule under `rules/`."""
