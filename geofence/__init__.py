"""The kernel: positions and geofences in, events out, as columns; no I/O.

reading/     GeoJSON to geofences, every fault named
geofence     a geofence: an area and its conditions (conditions/, schedules/)
index/       which geofences contain a position (areas/, cells/; compiled/ is C)
evaluation/  fixes, containment and state to events: evaluator.py first (fixes/, paths/, visits/, state/)
forecasting/ what a device may cross next
earth/, columns/  what all of them count with
"""
