"""The compiled kernel: loops in C. `library` is built from the files here; `geofence.kernels` finds it."""
