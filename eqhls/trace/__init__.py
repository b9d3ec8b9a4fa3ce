"""Every value of a network by name, in all engines: where they part, and how formats are used."""
