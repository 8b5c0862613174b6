"""Questions about all calls at once: sets of requests, assertions, differences.

shape.py       which requests are asked about
classes.py     what is concluded: requests that the mesh does not tell apart, and what becomes of them
between.py     all requests of one caller to one target, in classes; what opens and closes between two Worlds
"""
