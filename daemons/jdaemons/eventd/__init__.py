"""The event processing process: every module's log, in files and as a stream."""
