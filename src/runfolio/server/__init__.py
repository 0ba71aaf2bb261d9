"""The server: the API (docs/formats/api.md) and the app, for one person at their own machine."""
