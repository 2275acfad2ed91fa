"""`kpy serve`: the Kubernetes API over HTTP, computed from the table of kinds, over the same file and the same verbs."""
