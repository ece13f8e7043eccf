"""Copies what an account has at Amazon Location into a database: `overfly import amazon-location`."""
