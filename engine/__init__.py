"""The stream processor: turns messages into metrics and alerts; names no particular monitor."""
