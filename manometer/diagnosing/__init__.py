"""What may be wrong between a workflow and the servers that it needs, each finding with what to do."""
