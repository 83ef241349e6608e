"""What is deployed is rendered: the units of Argo CD, Flux, Fleet, kustomize and helm, and the programs they take."""
