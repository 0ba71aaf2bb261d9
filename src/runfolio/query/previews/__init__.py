"""What of an artifact can be shown without trusting it."""
