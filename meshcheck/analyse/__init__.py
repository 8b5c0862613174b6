"""Questions about all calls at once: sets of requests, assertions, differences.

shape.py             which requests are asked about
classes.py           what is concluded: requests that the mesh does not tell apart, and what becomes of them
between.py           all requests of one caller to one target, in classes; what opens and closes between two Worlds
explore.py …         how: looks.py, spaces.py, regexes.py, words.py (sets of texts: semantics/languages.py, semantics/expressions.py)
ends.py              who calls, and what can be called
alike.py, wires.py   callers that a target cannot tell apart
assertions/          statements about who may call what
difference.py        what becomes of all calls when objects change; changed_objects.py, affected.py
connections.py       what network policies let through, port by port
"""
