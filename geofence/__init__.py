"""The kernel: positions and geofences in, events out, as columns; no I/O.

reading/          GeoJSON to geofences, every fault named
geofence          a geofence: an area and its conditions (conditions/, schedules/)
index/            which geofences contain a position, `containment` (areas/, cells/)
evaluation/       fixes, containment, state to events: evaluator.py first (fixes/, paths/, visits/, state/)
forecasting/      what a device may cross next
earth/, columns/  what all of them count with
compiled/         loops of index/ and evaluation/ in C, where `kernels` finds them built
events, faults    what is told: of devices, and of geofences that cannot be read
"""
