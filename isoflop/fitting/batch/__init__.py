"""Critical batches: from batch sweeps, and from the noise of gradients."""
