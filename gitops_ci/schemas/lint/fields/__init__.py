"""The fields of GitOps' own kinds and files, one module a tool."""
