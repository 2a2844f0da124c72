"""Forms: fields, validation and cleaning of input."""
