"""Ways for messages to leave the process: one file a transport."""
