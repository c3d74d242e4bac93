"""The data feed: files of a LEAN data folder as one time line of steps."""
