"""Trains LoRA adapters from a run folder."""
