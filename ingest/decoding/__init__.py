"""From payloads to positions, with every refusal named."""
