"""Reports: one HTML file that holds a plan, in both languages, and needs nothing from outside."""
