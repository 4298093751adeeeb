"""What feeds are written in. Each format is a document and a pure reader, from bytes to rows.

A reader never raises for what it was sent: it answers rows, and what it could not read with the
reason. One bad row concerns one row.
"""
