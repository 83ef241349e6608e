"""What every kind shares, as k8s.io/apimachinery has it: fields, names, metadata, labels, scalars."""
