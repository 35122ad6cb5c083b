"""The search over the network: a page for people and an API for programs."""
