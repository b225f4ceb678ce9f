"""Adapters in other forms: merged into their base, or as GGUF for llama.cpp and Ollama."""
