"""Other solvers behind the protocol of our engines, so that their plans are paid, verified and timed alike."""
