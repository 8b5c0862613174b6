"""What an nginx in a workload makes of a request, from its configuration.

application.py   the station at the end of a call
supposing.py     facts that are not known: both answers are tried
request.py       the request as nginx reads it: URI, host, the caller's address
servers.py       which server block answers
locations.py     which location answers
levels.py        what a block sets, and what it inherits
variables.py     variables, maps, conditions of `if`
patterns.py      regular expressions and names with a star
rewriting.py     return, rewrite, if, set
access.py        allow, deny, auth_basic, auth_request, satisfy
passwords.py     password files
contents.py      proxies and files
decide.py        the phases in order

Sources are those of nginx/nginx:src/http, by file in each module.
"""
