"""The own engine: presolve on structure, a bound from the relaxation, plans from dives and neighbourhoods, proof."""
