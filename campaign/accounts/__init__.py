"""Who runs the campaign: how they come in, what they may do, and what they did."""
