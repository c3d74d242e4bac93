"""All-or-nothing option groups and brackets that never leave a filled share unprotected, for QuantConnect LEAN."""
