"""The compiled kernel: loops in C, and beside them what hands them their columns.

`library` is built from the C files here (`hatch_build.py`); see `geofence.kernels` for whether it is there.
"""
