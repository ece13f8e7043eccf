"""Who does what, where several processes share a database: workers, their shards, their duties."""
