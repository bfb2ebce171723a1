"""Suite files: YAML to a validated model to frozen cells."""
