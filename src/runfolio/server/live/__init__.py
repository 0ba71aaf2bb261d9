"""What changes while somebody looks: one poller for each store, and any number of listeners that each take what is new to them."""
