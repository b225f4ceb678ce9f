"""Turns texts into vectors: a worker process that answers requests for as long as somebody listens."""
