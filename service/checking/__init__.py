"""Checking: whether what a database holds is what its own history gives again."""
