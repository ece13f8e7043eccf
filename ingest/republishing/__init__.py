"""What the republisher is made of: bodies taken apart, arrays packed, each shard delivered in its order."""
