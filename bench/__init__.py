"""What runfolio costs, measured: `gates.py` against its promises, `peers/run.py` beside other trackers."""
