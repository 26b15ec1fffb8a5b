"""How passwords are kept."""

from backend.accounts import hash_password

__all__ = ["hash_password"]
