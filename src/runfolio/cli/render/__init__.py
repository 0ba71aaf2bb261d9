"""Values into text: for a terminal, for a spreadsheet, for a program."""
