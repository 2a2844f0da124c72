"""Share cards and posters: their content, layout, rendering and cache."""
