"""Usual lines of positions read in C; see `ingest.decoding.usual_lines` for what they are.

`library` is built from the C files here (`hatch_build.py`), where a C compiler is.
"""
