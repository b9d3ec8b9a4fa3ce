"""Whether the bench that ships with a project sees faults: it is run on designs with one fault each."""
