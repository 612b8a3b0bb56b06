"""Does it help? Flow features, recognisers, training by subject, scores, and the ratio ablation."""
