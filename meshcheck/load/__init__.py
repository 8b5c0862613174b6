"""The only place of input: files, folders, standard input, kustomize and helm, as plain values with their places.

read.py         sources in, documents and what could not be read out
folders.py      which files a path stands for
encoding.py     bytes into text
lines.py        batches and settings: texts that are no manifests
split.py        one file into documents
json_text.py    JSON, of which a file may hold several values
fast_yaml.py    the reader for the bulk, and which documents it may read
exact_yaml.py   kubectl's reading of YAML, for the others
events.py       what stands where in a document
plain_events.py the same of documents in plain words, without libyaml
scalars.py      what kubectl makes of plain words and numbers
places.py       line and column of a field, computed when one has to be shown
render.py       kustomize and helm, through the real programs
"""
