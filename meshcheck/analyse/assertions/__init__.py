"""Statements about who may call what, kept beside the manifests, and whether they hold.

assertion.py   one statement: callers, targets, requests, what is expected
read.py        statements from the values of a file
select.py      which callers and targets of a World a statement means
judge.py       whether a statement holds, over all requests; a counterexample where it does not
"""
