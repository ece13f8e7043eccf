"""Cells: the index of the bulk, which answers by looking up the cell that a position is in."""
