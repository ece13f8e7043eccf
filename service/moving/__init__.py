"""Moving a whole database: all trackers with all that is known of them, from one store to another."""
