"""What a ladder will take: FLOPs, seconds, memory."""
