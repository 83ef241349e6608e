"""Rules of the core group (v1): pods and what they are made of, services, claims, quotas."""
