"""What was concluded, as text, JSON or Markdown."""
