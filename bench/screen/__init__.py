"""What the app costs in a real browser."""
