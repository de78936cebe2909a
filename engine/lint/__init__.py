"""The linter of workflow files: each part of the file against what the engine knows, all mistakes in one run."""
