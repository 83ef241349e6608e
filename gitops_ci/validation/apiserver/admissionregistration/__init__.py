"""Rules of admissionregistration.k8s.io."""
