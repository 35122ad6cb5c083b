"""Raw pictures and texts -> features: one encoder a file, each the same whenever it is asked."""
