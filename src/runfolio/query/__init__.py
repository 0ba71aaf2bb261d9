"""What a reader asks: Store, Run, Series, Table, compare."""
