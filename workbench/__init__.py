"""What runs around LEAN on the user's machine: embedded engine, command line, data, campaigns, reports."""
