"""The reference pages, one module each: pure functions from the code to a page's text."""
