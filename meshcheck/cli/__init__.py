"""The command line: one file per command; the only layer that reads input and writes output."""
