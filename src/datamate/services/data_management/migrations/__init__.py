"""Revisions of schema `data_management`."""
