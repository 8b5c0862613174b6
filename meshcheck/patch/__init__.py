"""Changes to the text of manifests: JSON Patch in, edited text out, with comments and layout kept.

Pure: texts in, texts out; whoever calls it reads and writes the files. What cannot be changed safely is said, with its place.

changes.py    the way in: changes of many objects over many files
preview.py    what a change would make of the text around it
document.py   one document: step after step, and the proof that the new text reads as the patched value
block.py      a change in a collection that is written in lines
flow.py       a change in a collection that is written in brackets: JSON, and YAML in flow style
tree.py       what stands where in a document
scalars.py    texts and numbers as YAML and JSON write them
layout.py     values as text, in the layout of the document around them
"""

from meshcheck.patch.changes import Change, Edits, NotDone, changes_of, edit

__all__ = ["Change", "Edits", "NotDone", "changes_of", "edit"]
