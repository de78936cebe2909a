"""What an installation of several processes needs once: passwords, buckets, tokens; without Docker as with it."""
