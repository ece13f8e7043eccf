"""Paths: what devices cross between two fixes. A room of its own, for collections crossed by segments."""
