"""A cluster carried away in one file: what was read, what could not be, and nothing secret.

file.py      the file: JSON Lines in gzip; the same objects make the same bytes
part.py      what was listed so far, so that a snapshot that failed can go on
compact.py   what of an object matters: no managed fields, no volatile status
secrets.py   what looks like a secret leaves
redact.py    names, hosts and addresses are replaced (pseudonyms.py: how; reserved.py: which words stay)
"""

from meshcheck.load.snapshot.file import read_snapshot, write_snapshot

__all__ = ["read_snapshot", "write_snapshot"]
