"""The routes of the API, one noun per file. The pattern is told in runfolio.server.app."""
