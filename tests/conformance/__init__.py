"""Verdicts of real programs, and whether meshcheck gives the same."""
