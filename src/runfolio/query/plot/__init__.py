"""Curves as a person looks at them: made ready here for any screen, drawn with matplotlib for files and notebooks."""
