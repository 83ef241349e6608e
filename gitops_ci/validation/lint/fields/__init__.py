"""The fields of GitOps' own files, and rules about its kinds that their definitions lack. One module a tool."""
