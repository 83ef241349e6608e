"""Manifests that several tests bump."""

from __future__ import annotations

__all__ = ["LIMITED"]

# A definition that takes versions of 1.4 only, and an object of it: a newer tag breaks the pattern.
LIMITED = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.acme.example}
spec:
  group: acme.example
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {image: {type: string, pattern: "^.*:1[.]4[.].*$"}, size: {type: integer}}}
---
apiVersion: acme.example/v1
kind: Widget
metadata: {name: shop}
spec:
  image: ghcr.io/acme/shop:1.4.1
"""
