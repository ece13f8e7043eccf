"""What is asked of the database: one noun a file, functions over a Connection that change nothing.

A list takes the place `after` which it continues and answers at most `limit` rows in that order. Times are
milliseconds since the epoch (UTC), longitudes and latitudes degrees, accuracy metres.
"""
