"""What may stand at the cursor: `meshcheck __complete WORD… LAST`, which the shells' scripts and kubectl ask.

offers.py    commands, options and their values, read from the parsers of the commands
values.py    what each kind of value (an option's metavar) can be
names.py     names of objects, from the files or the cluster of the same command line
scripts.py   the scripts for bash, zsh and fish
"""
