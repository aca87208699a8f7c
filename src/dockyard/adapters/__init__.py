"""The only modules that import SDKs, start processes or touch files; they translate what those raise into our errors."""
