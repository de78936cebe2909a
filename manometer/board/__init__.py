"""The live board: what `grafana.boards` defines, read from a store and shown in a browser."""
