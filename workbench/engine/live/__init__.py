"""Live paper trading on the embedded engine: threads, asynchronous answers, an account that outlives the process."""
