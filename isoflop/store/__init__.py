"""Studies on disk: folders, journals, manifests. No torch, no pandas."""
