"""The intermediate representation: types, blocks, graphs, and their text form."""
