"""Objects of kinds that a CustomResourceDefinition or a schema location describes."""
