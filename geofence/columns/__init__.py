"""Arithmetic on columns of numbers, which numpy comes without."""
