"""Events in, words for ports, scores out: what every command reads and writes beside networks."""
