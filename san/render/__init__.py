"""Model to the text of each configuration file, by templates; pure."""
