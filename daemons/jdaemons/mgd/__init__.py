"""Management: the configuration in Junos' text, checked whole, stored and published.

syntax.py     text to statements, every mistake with line and column
schema.py     which statements there are (data)
kinds.py      what a word may look like
tree.py       statements to a tree, by the schema
check.py      what the schema cannot say: rules between statements
candidate.py  a text examined whole: what there is to commit, or all that is wrong
parts.py      the tree as the items of the feed `config`
render.py     the tree as canonical text
store.py      the committed configuration on disk
alarms.py     the alarm about a damaged file
core.py       load, adopt, survive damage (pure)
"""
