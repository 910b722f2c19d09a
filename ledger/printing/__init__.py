"""Certificates on paper: a PDF that carries the certificate, and how the certificate is found in it again."""
