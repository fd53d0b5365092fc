"""The engine: queries judged, queued, and answered by processes that may be killed."""
