"""What is: the text that nodes print, read into typed state by pure functions."""
