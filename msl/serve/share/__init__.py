"""A model that is given away: what goes with it, in which form, and how it comes back."""
