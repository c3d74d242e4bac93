"""Generator of LEAN-format sample data; `generate.generate` is the entry."""
