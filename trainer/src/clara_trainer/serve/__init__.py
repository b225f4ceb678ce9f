"""The embedded inference engine: one base model, many LoRA adapters, one forward a step over all running rows."""
