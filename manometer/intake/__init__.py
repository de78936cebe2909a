"""Takes messages over HTTP and hands them to an embedded process; shows how that is doing."""
