"""Changes to the text of manifests: JSON Patch in, edited text out, with comments and layout kept."""
