"""The boards: queries, panels and boards as data, and the files that Grafana reads."""
