"""The film: which one plays, from which files, with which captions."""
