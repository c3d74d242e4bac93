"""The embedded engine: runs a LEAN Python algorithm over LEAN-format data, in this process."""
