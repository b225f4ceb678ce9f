"""The run folder's two files, as JSON Schemas and as types generated from them."""
