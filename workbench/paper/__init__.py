"""A paper account that outlives the algorithm's process, so that a restart meets real orders and holdings."""
