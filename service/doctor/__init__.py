"""What `overfly doctor` looks at: each check yields findings, what is wrong and what would be right."""
