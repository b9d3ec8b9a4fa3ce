"""From a float graph to exact integers."""
