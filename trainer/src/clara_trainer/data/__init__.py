"""From data files to examples: reading, checking, splitting."""
