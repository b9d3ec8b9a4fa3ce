"""Many files of events on many processes: one file at a time each, none lost."""
